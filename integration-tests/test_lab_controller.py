"""The `controller` fixture, tried on a program of our own that behaves as told."""

import stat

import pytest

from lab.controller import Controller

FAKE = '''#!/usr/bin/python3
import http.server, os, signal, sys, threading
options = dict(zip(sys.argv[1::2], sys.argv[2::2]))
print("started", " ".join(sys.argv[1:]), flush=True)

class Handler(http.server.BaseHTTPRequestHandler):
    bodies = {"/readyz": "ok", "/metrics": "# HELP a_total x\\na_total{pool=\\"p\\"} 7\\n",
              "/api/v1/pools": '{"pools": []}'}

    def log_message(self, *_):
        pass

    def do_GET(self):
        body = self.bodies[self.path].encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

def end(*_):
    print(os.environ.get("FAKE_LAST_WORDS", ""), flush=True)
    os._exit(int(os.environ.get("FAKE_STATUS", "0")))

signal.signal(signal.SIGTERM, end)
for option in ("--port", "--health-probe-port"):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(options[option])), Handler)
    threading.Thread(target=server.serve_forever).start()
'''


@pytest.fixture(autouse=True)
def fake_build(tmp_path, monkeypatch):
    program = tmp_path / "controller" / "stentor-controller"
    program.parent.mkdir()
    program.write_text(FAKE)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("STENTOR_BUILD", str(tmp_path))


def test_starts_with_kubeconfig_and_answers(controller):
    one = controller("--lb-class", "example.test/lb")
    assert "--kubeconfig /" in one.process.log()
    assert one.process.log().rstrip().endswith("--lb-class example.test/lb")
    assert one.rest("/api/v1/pools") == {"pools": []}
    assert one.metrics() == {'a_total{pool="p"}': 7.0}


def test_manifests_need_no_api_server(controller, tmp_path):
    one = controller("--manifests", tmp_path)
    assert "--kubeconfig" not in one.process.log()
    assert "--leader-elect" not in one.process.log()


@pytest.mark.parametrize("environment, complaint", [
    ({"FAKE_STATUS": "3"}, "status 3"),
    ({"FAKE_LAST_WORDS": "==7==ERROR: AddressSanitizer: heap-use-after-free"}, "AddressSanitizer"),
    ({"FAKE_LAST_WORDS": "a.c:1:2: runtime error: signed integer overflow"}, "runtime error"),
])
def test_unclean_end_is_a_failure(run, environment, complaint):
    one = Controller(run, env=environment).wait_ready()
    with pytest.raises(AssertionError) as failure:
        one.finish()
    assert complaint in str(failure.value)


def test_program_that_dies_at_start_is_told_at_once(controller):
    with pytest.raises(RuntimeError) as failure:
        controller("--port", "not a number")
    assert "invalid literal" in str(failure.value)
