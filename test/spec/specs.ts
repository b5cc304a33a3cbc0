import fc from "fast-check";

// Valid files as plain values; what a text may hold is left to the caller.

const label = fc.stringMatching(/^[a-z][a-z0-9]{0,9}(-[a-z0-9]{1,8})?$/);
const key = fc.stringMatching(/^[A-Za-z][A-Za-z0-9]{0,12}$/).filter((name) => name !== "slipway");
const path = fc
  .array(fc.stringMatching(/^[a-z0-9_-]{1,8}$/), { minLength: 1, maxLength: 3 })
  .map((parts) => `/srv/${parts.join("/")}`);
const mode = fc.constantFrom("0644", "0755", "600", "0400");
const time = fc
  .tuple(fc.integer({ min: 1, max: 1000 }), fc.constantFrom("ms", "s", "m"))
  .map(([length, unit]) => `${length}${unit}`);

/** A text on one line without hidden characters. */
const oneLine = fc
  .string({ unit: "grapheme", maxLength: 20 })
  .filter((text) => !/[\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]/u.test(text));
/** A text that may have tabs and newlines. */
const lines = fc.array(oneLine, { maxLength: 4 }).map((parts) => parts.join("\n\t"));

const optional = { requiredKeys: [] };
const labels = fc.dictionary(key, oneLine, { maxKeys: 3 });
const unique = <T>(arbitrary: fc.Arbitrary<T>, selector: (value: T) => unknown) =>
  fc.uniqueArray(arbitrary, { selector, maxLength: 3 });

const file = fc.record(
  { path, content: lines, mode, user: label, group: label },
  { requiredKeys: ["path", "content"] },
);
const dropIn = fc.record({ name: label.map((name) => `${name}.conf`), content: lines });
const unit = fc.record(
  {
    name: label.map((name) => `${name}-x.service`),
    content: lines,
    enabled: fc.boolean(),
    drop_ins: unique(dropIn, ({ name }) => name),
  },
  { requiredKeys: ["name"] },
);
const user = fc.record(
  {
    name: label,
    keys: fc.constant(["ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA== me"]),
    uid: fc.integer({ min: 1, max: 60_000 }),
    home: path,
    shell: path,
    primary_group: label,
    groups: fc.array(label, { maxLength: 2 }),
    system: fc.boolean(),
  },
  { requiredKeys: ["name"] },
);
const volume = fc.record(
  {
    size: fc.constantFrom("512M", "100G", "2T", "1536M"),
    type: key,
    device: label.map((name) => `/dev/${name}`),
    format: fc.constantFrom("ext4", "xfs", "btrfs"),
    mount: path,
    on_termination: fc.constantFrom("keep", "delete"),
  },
  { requiredKeys: ["mount"] },
);
const group = fc.record(
  {
    directories: unique(
      fc.record({ path: path.map((at) => `/dir${at}`), mode, user: label }, { requiredKeys: ["path"] }),
      ({ path: at }) => at,
    ),
    links: unique(
      fc.record({ path: path.map((at) => `/link${at}`), target: oneLine.filter((text) => text !== "") }),
      ({ path: at }) => at.split("/")[3],
    ),
    users: unique(user, ({ name }) => name),
    user_groups: unique(
      fc.record({ name: label, gid: fc.nat({ max: 9 }).map((n) => n + 1) }, { requiredKeys: ["name"] }),
      ({ name }) => name,
    ),
    kernel_arguments: fc.array(key, { maxLength: 2 }),
    volumes: fc.dictionary(
      fc.stringMatching(/^[a-z]{1,8}$/),
      volume.map((one) => ({ ...one, mount: `/vol${one.mount}` })),
      { maxKeys: 1 },
    ),
    count: fc.integer({ min: 0, max: 20 }),
    labels,
    files: unique(file, ({ path: at }) => at.split("/")[2]),
    units: unique(unit, ({ name }) => name),
  },
  optional,
);

const secretSource = fc.oneof(
  oneLine.filter((text) => text !== "").map((file) => ({ file })),
  key.map((environment) => ({ environment })),
);
const port = fc.oneof(
  fc.record(
    { target: fc.integer({ min: 1, max: 65_535 }), protocol: fc.constantFrom("tcp", "udp") },
    { requiredKeys: ["target"] },
  ),
  fc.record({ target: fc.integer({ min: 1, max: 65_535 }) }),
);
const mount = fc.oneof(
  fc.record({ source: label, target: path, read_only: fc.boolean() }, { requiredKeys: ["source", "target"] }),
  fc.record({ type: fc.constant("bind"), source: path, target: path }),
  fc.record({ type: fc.constant("tmpfs"), target: path }),
);
const health = fc.record(
  {
    command: fc.array(lines, { minLength: 1, maxLength: 3 }),
    interval: time,
    timeout: time,
    start_period: time,
    retries: fc.integer({ min: 1, max: 9 }),
  },
  { requiredKeys: ["command"] },
);
const update = fc.record(
  {
    parallelism: fc.integer({ min: 0, max: 9 }),
    delay: time,
    monitor: time,
    order: fc.constantFrom("stop-first", "start-first"),
    on_failure: fc.constantFrom("pause", "continue", "rollback"),
  },
  optional,
);
const service = fc
  .record(
    {
      image: fc.constantFrom("demo/hello", "nginx:1.29", "registry.example.com:5000/team/web@sha256:" + "a".repeat(64)),
      replicas: fc.integer({ min: 0, max: 9 }),
      mode: fc.constantFrom("replicated", "global"),
      command: fc.array(lines, { minLength: 1, maxLength: 3 }),
      ports: fc.array(port, { maxLength: 3 }),
      environment: fc.dictionary(key, lines, { maxKeys: 4 }),
      labels,
      mounts: unique(mount, ({ target }) => target),
      health,
      update,
      constraints: fc.dictionary(key, key, { maxKeys: 2 }),
      secrets: fc.dictionary(
        key,
        fc.tuple(secretSource, mode).map(([source, bits]) => ({ ...source, mode: bits })),
        { maxKeys: 2 },
      ),
    },
    { requiredKeys: ["image"] },
  )
  .map(({ replicas, ...rest }) => (rest.mode === "global" || replicas === undefined ? rest : { ...rest, replicas }));

const whole = fc
  .record({
    name: label,
    control: fc.constantFrom(1, 3, 5),
    groups: fc.dictionary(
      label.filter((name) => name !== "control"),
      group,
      { maxKeys: 3 },
    ),
    services: fc.dictionary(label, service, { maxKeys: 3 }),
    registries: fc.dictionary(
      label.map((host) => `${host}.example.com`),
      fc.record({ username: key, password: secretSource }),
      { maxKeys: 2 },
    ),
    share: fc.option(path, { nil: undefined }),
    subnet: fc.option(fc.constantFrom("10.77.0.0/20", "192.168.0.0/16"), { nil: undefined }),
  })
  .map(({ name, control, groups, services, registries, share, subnet }) => {
    // Published ports are numbered through, so that no two are the same.
    let next = 20_000;
    const numbered = Object.entries(services).map(([service, { ports, ...rest }]) => [
      service,
      ports === undefined ? rest : { ...rest, ports: ports.map((one) => ({ ...one, published: next++ })) },
    ]);
    return {
      name,
      groups: { ...groups, control: { role: "control", count: control } },
      services: Object.fromEntries(numbered),
      registries,
      ...(share === undefined ? {} : { etcd: { share } }),
      ...(subnet === undefined ? {} : { docker: { subnet } }),
    };
  });

/** A file without any problem, as the value that its YAML stands for. */
export const validFile: fc.Arbitrary<object> = whole;
