/**
 * A node of a Kubernetes cluster: pods by their own addresses, services by their cluster addresses.
 * The networks are those of kubeadm and flannel; yours are in
 *
 *   kubectl cluster-info dump | grep -m 2 -E 'cluster-cidr|service-cluster-ip-range'
 *
 * Capture on the bridge of the pods and on the node's uplink:
 *
 *   flosensor capture cni0 eth0
 */
import {
  Assign,
  defineConfig,
  DST,
  Initiator,
  LowerPort,
  PortMatch,
  Service,
  SRC,
} from "flosensor/config";

/** VXLAN of the nodes: IANA's port, and the one of Linux that flannel takes. */
const OVERLAY = [4789, 8472];

export default defineConfig({
  redis: "redis://192.0.2.5:6379",

  ourNets: ["10.0.0.0/24", "10.96.0.0/12", "10.244.0.0/16"],

  // All that pods use of each other is between own addresses.
  suppressOwnNetwork: false,

  // The cluster's name server answers every pod, all the time. Names are read all the same.
  ignoreFlows: [["10.96.0.10", 53]],

  networks: [
    ["nodes", "10.0.0.0/24", "10.244.0.1"],
    ["services", "10.96.0.0/12"],
    ["pods", "10.244.0.0/16"],
    ["external", "0.0.0.0/0", "::/0"],
  ],

  flows: [
    // The tunnel between nodes. What is in it is captured on the bridge of the pods.
    ["nodes", "nodes", PortMatch(OVERLAY, { drop: true })],

    // A cluster address is never a client.
    [null, "services", Assign(SRC, DST)],
    ["services", null, Assign(DST, SRC)],

    [null, null, Initiator()],

    // Of connections that are older than the sensor: the API server and the kubelet of a node.
    ["pods", "nodes", PortMatch([6443, 10250], { precedence: DST })],
    ["nodes", "pods", PortMatch([6443, 10250], { precedence: SRC })],

    [null, null, Service()],
    [null, null, LowerPort()],
  ],
});
