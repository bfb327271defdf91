"""The lab: real parts (etcd, kube-apiserver, network namespaces, our own programs), made and
unmade by the tests and by hand (`integration-tests/labctl`).

run.py           who owns what a run makes, and its removal however the run ends
process.py       one child process: own group, death signal, log file
netns.py         network namespaces: make, enter, sockets inside them
wait.py          wait_until: the only way to wait
controlplane.py  etcd + kube-apiserver (+ kube-controller-manager), kubeconfig files, tokens
seed.py          etcd data made once and kept in the user's cache
api.py           a plain HTTP client for the API server
kubectl.py       kubectl as a person would call it
network.py       nodes and a client on a LAN bridge, a second bridge for management; cut and heal
ping.py          one ICMP echo
asking.py        who has an address: one request, and all that answer it
probe.py         the probing client: questions at a steady rate, gaps, who answered
page.py          a page behind an address, and a client that fetches it
capture.py       frames seen on an interface
relay.py         TCP relay: delay, cut, half-close, stop accepting
faultproxy.py    HTTP proxy in front of the API server that answers, cuts and edits by rules
objects.py       Kubernetes objects that many tests need
stores.py        where objects are: an API server or a directory, behind the same calls
sandbox.py       one test's part of the session's control plane
evidence.py      what a failed test keeps
programs.py      where the control plane's programs are
daemon.py        what is common to our programs: REST, metrics, readiness, a clean end
controller.py    stentor-controller: its arguments, in one place
speaker.py       stentor-speaker on a node
kubeproxy.py     kube-proxy on a node
pods.py          pods behind nodes, and the page that they serve
cluster.py       nodes with all of these, Services with addresses, and what happens to nodes
failover.py      faults of nodes, and how long a client notices each
keeper.py        a lab kept up in the background for labctl
"""
