/** What `slipway init` asks for. */
export type StarterOptions = {
  readonly name: string;
  readonly orchestrator: "swarm" | "none";
  /** Control nodes: 1, 3 or 5. */
  readonly control: number;
  readonly workers: number;
  /** Where editors find the schema: a path or an address. */
  readonly schema?: string;
};

/** A first cluster.yml, with comments; it reads without problems. */
export function starterFile(options: StarterOptions): string {
  const { name, orchestrator, control, workers, schema = "./cluster.schema.json" } = options;
  const lines = [
    `# yaml-language-server: $schema=${schema}`,
    "# A Slipway cluster. Try: slipway check, slipway plan, slipway launch",
    `name: ${/^[a-z0-9-]+$/.test(name) ? name : JSON.stringify(name)}`,
    `orchestrator: ${orchestrator.padEnd(18)}# swarm, or none for etcd alone`,
    "groups:",
    `  control: { role: control, count: ${control} }   # 1, 3 or 5; runs etcd${orchestrator === "swarm" ? " and the managers" : ""}`,
    ...(workers === 0 ? ["  # worker: { count: 2 }"] : [`  worker: { count: ${workers}, labels: { disk: ssd } }`]),
    ...(orchestrator === "swarm"
      ? servicesOf(workers)
      : ["# etcd: { share: /app }         # keys that workers may read and write"]),
    "docker: {}                        # settings for --on docker",
  ];
  return `${lines.join("\n")}\n`;
}

function servicesOf(workers: number): string[] {
  return [
    "services:",
    "  web:",
    "    image: demo/hello",
    `    replicas: ${Math.min(Math.max(workers, 1), 2)}`,
    '    ports: ["8080:80"]            # 8080 on this machine, 80 in the container',
    ...(workers === 0 ? [] : ["    constraints: { disk: ssd }    # only on nodes with this label"]),
  ];
}
