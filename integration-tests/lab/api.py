"""A plain client for the API server: HTTP/1.1, one connection per thread, no cache.

It answers a hundred times faster than a kubectl process starts, which needs a quarter of a second of
processor time. Tests of what a person does use kubectl; stories, and tests that make 500 Services or
follow every change of one, use this."""

import contextlib
import http.client
import json
import select
import socket
import ssl
import threading
import urllib.parse

MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
APPLY = "application/apply-patch+yaml"


class ApiError(AssertionError):
    """An answer of 400 or above. reason and message are those of the Status object."""

    def __init__(self, method, path, status, body):
        try:
            self.object = json.loads(body)
        except ValueError:
            self.object = {}
        self.status = status
        self.reason = self.object.get("reason", "")
        self.message = self.object.get("message", body[:500].decode(errors="replace"))
        super().__init__(f"{method} {path}: {status} {self.reason}: {self.message}")


class Api:
    """server: https://host:port or http://host:port. namespace: the netns.Namespace to
    connect from, or None."""

    def __init__(self, server, token=None, ca_file=None, namespace=None, seconds=30):
        self._address = urllib.parse.urlsplit(server)
        self._token = token
        self._namespace = namespace
        self._seconds = seconds
        self._tls = ssl.create_default_context(cafile=ca_file) if server.startswith("https") else None
        self._local = threading.local()
        self._resources = {}

    def raw(self, method, path, body=None, headers=None):
        """One request, never repeated. Returns (status, headers, body bytes). Raises OSError
        when it got no answer, whether it was done or not."""
        connection = getattr(self._local, "connection", None)
        if connection is None or _is_closed(connection.sock):
            self.close()
            connection = self._local.connection = self.connect()
        try:
            connection.request(method, path, body, self._headers(headers))
            response = connection.getresponse()
            return response.status, response.headers, response.read()
        except OSError:
            self.close()
            raise
        except http.client.HTTPException as error:
            self.close()
            raise ConnectionError(repr(error)) from error

    def request(self, method, path, body=None, content_type="application/json"):
        """One request with JSON in and out. Raises ApiError for a status of 400 and above."""
        data = None if body is None else json.dumps(body).encode()
        status, _, answer = self.raw(method, path, data, {"Content-Type": content_type})
        if status >= 400:
            raise ApiError(method, path, status, answer)
        return json.loads(answer)

    def get(self, path):
        return self.request("GET", path)

    def get_or_none(self, path):
        try:
            return self.get(path)
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    def items(self, path):
        """The objects of a collection."""
        return self.get(path)["items"]

    def create(self, obj):
        """Creates the object; its kind tells where. Returns it as stored."""
        return self.request("POST", self.collection_of(obj), obj)

    def apply(self, *objects):
        """Makes each object be as it is given, as `kubectl apply --server-side` does: the server
        knows what an earlier call set, and removes what this one leaves out."""
        for obj in objects:
            self.request("PATCH", self.path_of(obj) + "?fieldManager=lab&force=true&fieldValidation=Strict",
                         obj, APPLY)

    def replace(self, obj, subresource=""):
        return self.request("PUT", self.path_of(obj) + subresource, obj)

    def patch(self, path, patch, content_type=MERGE):
        return self.request("PATCH", path, patch, content_type)

    def delete(self, path, missing_ok=False):
        try:
            return self.request("DELETE", path)
        except ApiError as error:
            if error.status == 404 and missing_ok:
                return None
            raise

    def watch(self, path, resource_version, timeout_seconds=3600, connection=None):
        """Yields (type, object) for each event after that version, until the server ends it.
        connection: one from connect(), for a caller who wants to end it; it is closed here."""
        query = urllib.parse.urlencode({"watch": 1, "resourceVersion": resource_version,
                                        "allowWatchBookmarks": "true",
                                        "timeoutSeconds": timeout_seconds})
        connection = connection or self.connect()
        try:
            connection.sock.settimeout(None)
            connection.request("GET", f"{path}?{query}", headers=self._headers())
            response = connection.getresponse()
            if response.status >= 400:
                raise ApiError("WATCH", path, response.status, response.read())
            while line := response.readline():
                event = json.loads(line)
                yield event["type"], event["object"]
        finally:
            connection.close()

    def collection_of(self, obj):
        """The path of the collection that an object belongs to."""
        group, kind = obj["apiVersion"], obj["kind"]
        prefix = f"/api/{group}" if "/" not in group else f"/apis/{group}"
        if (group, kind) not in self._resources:
            for resource in self.get(prefix)["resources"]:
                if "/" not in resource["name"]:
                    self._resources[group, resource["kind"]] = resource
        resource = self._resources.get((group, kind))
        if resource is None:
            raise LookupError(f"the API server does not know {group} {kind}")
        namespace = obj["metadata"].get("namespace", "default")
        inner = f"/namespaces/{namespace}" if resource["namespaced"] else ""
        return f"{prefix}{inner}/{resource['name']}"

    def path_of(self, obj):
        return f"{self.collection_of(obj)}/{obj['metadata']['name']}"

    def close(self):
        """Closes this thread's connection; the next request opens another."""
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None

    def _headers(self, extra=None):
        headers = {"Accept": "application/json", **(extra or {})}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        return headers

    def connect(self):
        """A new connection (http.client), which the caller closes."""
        host, port = self._address.hostname, self._address.port
        if self._tls:
            connection = http.client.HTTPSConnection(host, port, timeout=self._seconds,
                                                     context=self._tls)
        else:
            connection = http.client.HTTPConnection(host, port, timeout=self._seconds)
        if self._namespace:
            sock = self._namespace.connect((host, port), self._seconds)
            connection.sock = (self._tls.wrap_socket(sock, server_hostname=host)
                               if self._tls else sock)
        else:
            connection.connect()
        return connection


def _is_closed(sock):
    """Whether the server has closed a connection on which nothing is due."""
    return sock is None or bool(select.select([sock], [], [], 0)[0])


class History:
    """Every state that the objects of one collection went through since it was made. For
    promises such as "no address was ever given twice", which an end state cannot prove.
    Use it in a `with`, or stop() it.

    An API server that starts anew does not tell what came before. The states at that moment are
    then added as events, and `gaps` counts how often that was necessary."""

    def __init__(self, api, path):
        self.events = []  # (type, object), in the server's order
        self.error = None  # the last one; after an API server outage the watch goes on
        self.gaps = 0
        self._api = api
        self._path = path
        self._connection = None
        self._stopped = threading.Event()
        version = api.get(path + "?limit=1")["metadata"]["resourceVersion"]
        self._thread = threading.Thread(target=self._follow, daemon=True, args=(version,))
        self._thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self._stopped.set()
        while self._thread.is_alive():
            with contextlib.suppress(OSError, AttributeError):  # not connected just now
                self._connection.sock.shutdown(socket.SHUT_RDWR)
            self._thread.join(0.1)

    def versions(self, name=None):
        """The objects as they were after each change, oldest first; of one name, or of all."""
        return [obj for kind, obj in list(self.events)
                if kind != "BOOKMARK" and name in (None, obj["metadata"]["name"])]

    def reached(self, resource_version):
        """Whether it has seen the collection up to that version."""
        return any(int(obj["metadata"]["resourceVersion"]) >= int(resource_version)
                   for _, obj in reversed(list(self.events)))

    def _follow(self, version):
        """Goes on from the last version seen when the server ends the watch or is away."""
        while not self._stopped.is_set():
            try:
                self._connection = self._api.connect()
                for kind, obj in self._api.watch(self._path, version, connection=self._connection):
                    if kind == "ERROR":  # expired: what was missed is lost for good
                        self.error = obj
                        version = self._bridge_gap()
                        break
                    self.events.append((kind, obj))
                    version = obj["metadata"]["resourceVersion"]
            except (OSError, http.client.HTTPException, ValueError, ApiError) as error:
                self.error = error
            self._stopped.wait(0.1)

    def _bridge_gap(self):
        """Adds the present states, and the end of what is gone. Returns the version they are of."""
        collection = self._api.get(self._path)
        present = {obj["metadata"]["uid"] for obj in collection["items"]}
        known = {obj["metadata"]["uid"]: (kind, obj) for kind, obj in self.events if kind != "BOOKMARK"}
        self.events += [("DELETED", obj) for uid, (kind, obj) in known.items()
                        if kind != "DELETED" and uid not in present]
        for obj in collection["items"]:
            _, last = known.get(obj["metadata"]["uid"], (None, None))
            if last is None:
                self.events.append(("ADDED", obj))
            elif last["metadata"]["resourceVersion"] != obj["metadata"]["resourceVersion"]:
                self.events.append(("MODIFIED", obj))
        self.gaps += 1
        return collection["metadata"]["resourceVersion"]
