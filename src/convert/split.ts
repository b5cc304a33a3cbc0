type Counts = { readonly control: number; readonly worker: number; readonly why: string };

/** How identical machines become control nodes, of which there must be 1, 3 or 5, and workers. */
export function splitCount(count: number): Counts {
  switch (count) {
    case 1:
      return { control: 1, worker: 0, why: "one machine is one control node" };
    case 2:
      return { control: 1, worker: 1, why: "two etcd members survive no failure: one control node and one worker" };
    case 3:
    case 5:
      return { control: count, worker: 0, why: `${count} machines are ${count} control nodes, which run services too` };
    case 4:
      return {
        control: 3,
        worker: 1,
        why: "four etcd members survive no more than three: 3 control nodes and a worker",
      };
    default:
      return {
        control: 3,
        worker: count - 3,
        why: `3 control nodes, and the other ${count - 3} as workers; 5 would survive two failures`,
      };
  }
}

/** The largest count of control nodes that is allowed and not above this one. */
export function controlCount(count: number): number {
  return count >= 5 ? 5 : count >= 3 ? 3 : 1;
}

/** Whether a group's or a file's name says that its machines ran etcd or managed the others. */
export function isControlName(name: string): boolean {
  return /master|manager|control|etcd|server|leader|core-?services/i.test(name);
}
