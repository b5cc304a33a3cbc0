import type { Component } from "./component.ts";
import { docker } from "./docker/describe.ts";
import { etcd } from "./etcd/describe.ts";
import { extras } from "./extras/describe.ts";
import { swarm } from "./swarm/describe.ts";

/** Every component, in the order in which their parts of a machine config are merged. */
export const components: readonly Component[] = [docker, etcd, swarm, extras];
