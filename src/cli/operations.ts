/**
 * The operations, each loaded when it is called: one that does nothing else is not to load the rest.
 * Tests put their own in place.
 */
export const operations = {
  cleanup: async () => (await import("../operations/cleanup.ts")).cleanup,
  cp: async () => (await import("../operations/cp.ts")).cp,
  createToken: async () => (await import("../operations/join-tokens.ts")).createToken,
  dns: async () => (await import("../operations/dns.ts")).dns,
  doctor: async () => (await import("../operations/doctor.ts")).doctor,
  env: async () => (await import("../operations/env.ts")).env,
  events: async () => (await import("../operations/events.ts")).events,
  exec: async () => (await import("../operations/exec.ts")).exec,
  handOut: async () => (await import("../operations/hand-out.ts")).handOut,
  image: async () => (await import("../operations/image.ts")).image,
  inspect: async () => (await import("../operations/inspect.ts")).inspect,
  ip: async () => (await import("../operations/ip.ts")).ip,
  launch: async () => (await import("../operations/launch.ts")).launch,
  list: async () => (await import("../operations/list.ts")).list,
  listTokens: async () => (await import("../operations/join-tokens.ts")).listTokens,
  logs: async () => (await import("../operations/logs.ts")).logs,
  pickCluster: async () => (await import("../operations/pick.ts")).pickCluster,
  pickSelection: async () => (await import("../operations/pick.ts")).pickSelection,
  plan: async () => (await import("../operations/plan.ts")).plan,
  pointed: async () => (await import("../operations/pointed.ts")).pointed,
  preview: async () => (await import("../operations/cleanup.ts")).preview,
  remove: async () => (await import("../operations/remove.ts")).remove,
  render: async () => (await import("../operations/render.ts")).render,
  restart: async () => (await import("../operations/restart.ts")).restart,
  revokeToken: async () => (await import("../operations/join-tokens.ts")).revokeToken,
  start: async () => (await import("../operations/start.ts")).start,
  status: async () => (await import("../operations/status.ts")).status,
  stop: async () => (await import("../operations/stop.ts")).stop,
  sync: async () => (await import("../operations/sync.ts")).sync,
  terminate: async () => (await import("../operations/terminate.ts")).terminate,
  terminal: async () => (await import("../operations/exec.ts")).terminal,
  units: async () => (await import("../operations/units.ts")).units,
};
export type Operations = Readonly<typeof operations>;
