/** The unit that lets operators with a certificate reach a manager's engine. */
export const apiUnit = "docker-api.service";
/** Says, on the node's data disk, which swarm it belongs to. */
export const markFile = "/var/lib/slipway/swarm.json";
export const managerPort = 2377;
