/** What the local engine says of its Swarm membership. */
export type LocalSwarm =
  | { readonly kind: "inactive" }
  /** `manages`: its manager runs, and waits for a leader. */
  | { readonly kind: "pending"; readonly manages: boolean }
  | { readonly kind: "locked" }
  | { readonly kind: "error"; readonly text: string }
  | { readonly kind: "worker"; readonly nodeId: string }
  | {
      readonly kind: "manager";
      readonly nodeId: string;
      /** `undefined`: the engine cannot say, which is so when the managers have no quorum. */
      readonly state: SwarmState | undefined;
    };

/** What a manager in a swarm with quorum knows of it. */
export type SwarmState = {
  readonly clusterId: string;
  /** The engine that made it lived until it was made. */
  readonly made: boolean;
  readonly managerToken: string;
  readonly workerToken: string;
  /** `ip:2377` of the managers that are reachable. */
  readonly managers: readonly string[];
  /** No other node has a voice among the managers, reachable or not. */
  readonly sole: boolean;
};
