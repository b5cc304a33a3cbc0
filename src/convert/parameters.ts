import type { Cursor } from "./cursor.ts";
import type { Outcome } from "./outcome.ts";

/** A parameter's default; `undefined` when it has to be given at launch. */
export function valueOfParameter(parameters: readonly Cursor[], name: string): string | undefined {
  return parameters.find(({ key }) => key === name)?.get("Default")?.text;
}

type Fate = { readonly by: string; readonly why: string };

const fates: ReadonlyMap<string, Fate> = new Map(
  Object.entries({
    DockerCIDR: { by: "Swarm's overlay networks", why: "it was flannel's; Swarm chooses networks that do not overlap" },
    AdvertisedIPAddress: {
      by: "the nodes' own addresses",
      why: "nodes speak to each other by their private addresses only",
    },
    ClusterSize: { by: "count", why: "of the group that had it" },
    DiscoveryURL: { by: "the cluster's store", why: "discovery.etcd.io is gone; nodes find each other in the store" },
    AmazonAccessKeyID: { by: "the environment", why: "credentials belong in no file; nodes have roles of their own" },
    AmazonSecretAccessKey: {
      by: "the environment",
      why: "credentials belong in no file; nodes have roles of their own",
    },
    S3AccessPolicy: { by: "", why: "certificates travel through the cluster's store, which needs no consent of S3" },
    VolumeHubToken: { by: "", why: "Flocker and its Volume Hub ended in 2016; volumes: are disks of nodes" },
  }),
);

const ofAws: ReadonlyMap<string, string> = new Map(
  Object.entries({
    InstanceType: "instance_type",
    KeyPair: "key_pair",
    EC2KeyPair: "key_pair",
    AllowSSHFrom: "allow_ssh_from",
  }),
);

/** Says what becomes of a template's parameters. */
export function sayParameters(parameters: readonly Cursor[], aws: string[], outcome: Outcome): void {
  for (const parameter of parameters) {
    const value = parameter.get("Default")?.text;
    const hidden = parameter.get("NoEcho")?.flag === true;
    const what = `parameter ${parameter.key}${value === undefined || value === "" || hidden ? "" : ` (${value})`}`;
    const fate = fates.get(parameter.key);
    const key = ofAws.get(parameter.key);
    if (key !== undefined) {
      // What lets SSH in is said where the rule stands.
      if (key !== "allow_ssh_from") aws.push(`${key}: ${value ?? "…"}   # ${parameter.at}`);
      outcome.kept(what, parameter.at, "aws: as a comment", "for machines on AWS");
    } else if (fate === undefined)
      outcome.kept(
        what,
        parameter.at,
        "filled in",
        value === undefined ? "without a default: look for ${…} in the file" : "with its default",
      );
    else if (fate.by === "") outcome.dropped(what, parameter.at, fate.why);
    else outcome.replaced(what, parameter.at, fate.by, fate.why);
  }
}
