import type { Component } from "./component.ts";
import { docker } from "./docker/describe.ts";
import { disks } from "./disks/describe.ts";
import { etcd } from "./etcd/describe.ts";
import { extras } from "./extras/describe.ts";
import { host } from "./host/describe.ts";
import { swarm } from "./swarm/describe.ts";
import { updates } from "./updates/describe.ts";

/** Every component, in the order in which their parts of a machine config are merged. */
export const components: readonly Component[] = [host, updates, disks, docker, etcd, swarm, extras];
