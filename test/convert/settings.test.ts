import { describe, expect, it } from "vitest";
import { clusterOf, convertFiles, problemsOf } from "./converting.ts";

/** The rows of settings, by variable: what they became, and why. */
async function rowsOf(text: string): Promise<Readonly<Record<string, readonly string[]>>> {
  const { rows } = await clusterOf({ "envs.sh": text });
  return Object.fromEntries(rows.map(({ verdict, what, by }) => [what, [verdict, by]]));
}

describe("envs.sh", () => {
  it("has a row for every variable that the system knew", async () => {
    const rows = await rowsOf(`#!/usr/bin/env bash
export AWS_PROFILE=NODEFAULT
export CLUSTER_NAME='coreos-cluster'
export AWS_REGION="us-west-2"   # Oregon
export COREOS_UPDATE_CHANNEL=lts-2024
export APP_REPOSITORY=https://example.com/apps
export APP_REPOSITORY_DEPLOYKEY=/home/x/key.yaml
export APP_DOMAIN=example.com
export VM_TYPE=hvm
export CONFIRM_TF_APPLY=YES
export ALLOWED_ACCOUNT_IDS=012345678901
export FORBIDDEN_ACCOUNT_IDS=$(aws sts get-caller-identity)
export LOCK_KEYNAME=\${CLUSTER_NAME}-tfstate-lock
export GIT_SSH_COMMAND="ssh -i key"
export TF_VAR_allow_ssh_cidr="$(curl -s ipinfo.io/ip)/32"
export TF_VAR_timestamp=$(date +%Y)
export TF_VAR_iamuser=$(whoami)
export TF_VAR_mine=1
`);
    expect(rows).toMatchObject({
      "AWS_PROFILE=NODEFAULT": ["replaced", "the environment"],
      "CLUSTER_NAME=coreos-cluster": ["kept", "name"],
      "AWS_REGION=us-west-2": ["kept", "aws: region"],
      "COREOS_UPDATE_CHANNEL=lts-2024": ["replaced", "updates: channel lts-2024"],
      "APP_REPOSITORY=https://example.com/apps": ["replaced", "services:"],
      "APP_REPOSITORY_DEPLOYKEY=/home/x/key.yaml": ["dropped", ""],
      "APP_DOMAIN=example.com": ["dropped", ""],
      "VM_TYPE=hvm": ["dropped", ""],
      "CONFIRM_TF_APPLY=YES": ["replaced", "slipway launch"],
      "ALLOWED_ACCOUNT_IDS=012345678901": ["kept", "aws: as a comment"],
      "FORBIDDEN_ACCOUNT_IDS=…": ["dropped", ""],
      "LOCK_KEYNAME=coreos-cluster-tfstate-lock": ["replaced", "the store's lock"],
      "GIT_SSH_COMMAND=ssh -i key": ["dropped", ""],
      "TF_VAR_allow_ssh_cidr=…": ["dropped", ""],
      "TF_VAR_timestamp=…": ["replaced", "labels"],
      "TF_VAR_iamuser=…": ["replaced", "slipway events"],
      "TF_VAR_mine=1": ["dropped", ""],
    });
  });

  it("keeps account numbers as text", async () => {
    const { yaml } = await clusterOf({ "envs.sh": "CLUSTER_NAME=x\nALLOWED_ACCOUNT_IDS=012345678901\n" });
    expect(yaml).toContain('# allowed_account_ids: "012345678901"   # envs.sh:2');
  });

  it("gives the name unless one is given, made one that a cluster may have", async () => {
    const text = "export CLUSTER_NAME=My_Cluster\n";
    const own = await convertFiles({ "envs.sh": text }, {}, null);
    expect(own.kind === "good" ? own.yaml : own.kind).toContain("\nname: my-cluster\n");
    const given = await convertFiles({ "envs.sh": text }, {}, "other");
    expect(given.kind === "good" ? given.yaml : given.kind).toContain("\nname: other\n");
    expect((await convertFiles({ "envs.sh": "AWS_REGION=x\n" }, {}, null)).kind).toBe("nameless");
  });

  it("takes a value by default only where there is none, and variables that are known", async () => {
    expect(await rowsOf("CLUSTER_NAME = one\nCLUSTER_NAME ?= two\nAWS_REGION=${REGION:-eu-west-1}\n")).toMatchObject({
      "CLUSTER_NAME=one": ["kept", "name"],
      "AWS_REGION=eu-west-1": ["kept", "aws: region"],
    });
  });

  it("with a quote that stays open is a problem", async () => {
    expect(await problemsOf({ "envs.sh": 'export CLUSTER_NAME=x\nexport AWS_REGION="us\n' })).toContain(
      "envs.sh:2:19: error: the quote of AWS_REGION is not closed on this line",
    );
  });
});

describe("modules and cloud-configs", () => {
  it("are the groups of the cluster", async () => {
    const { cluster } = await clusterOf({
      "envs.sh": "CLUSTER_NAME=x\n",
      "modules.tf":
        'module "etcd" {\n  cluster_desired_capacity = 4\n}\nmodule "admiral" {\n  cluster_desired_capacity = 2\n}\n',
      "worker.yaml.tmpl": "#cloud-config\ncoreos: { fleet: { metadata: 'role=worker,env=x' } }\n",
    });
    expect(cluster.groups.map(({ name, role, count, labels }) => [name, role, count, labels])).toEqual([
      ["etcd", "control", 3, {}],
      ["admiral", "worker", 2, {}],
      ["worker", "worker", 1, { env: "x", role: "worker" }],
    ]);
  });
});

describe("op.py", () => {
  const conf = (count: string, more = "") => `cloud_config: cc\nkey_pair: k\ninstances_count: ${count}\n${more}`;

  it.each([
    [1, [1]],
    [2, [1, 1]],
    [3, [3]],
    [4, [3, 1]],
    [5, [5]],
    [6, [3, 3]],
    [64, [3, 61]],
  ])("%i identical machines are %j nodes", async (count, expected) => {
    const { cluster } = await clusterOf({ "conf.yml": conf(String(count)) }, { cc: "#cloud-config\n" });
    expect(cluster.groups.map((group) => group.count)).toEqual(expected);
  });

  it("finds the cloud-config from the folder in which we are, beside the file, and one up", async () => {
    for (const path of ["cc", "a/b/cc", "a/cc"])
      expect((await clusterOf({ "a/b/conf.yml": conf("1") }, { [path]: "#cloud-config\n" })).yaml).toContain(
        `${path} (a cloud-config)`,
      );
  });

  it.each([
    ["yes", "delete"],
    ["true", "delete"],
    ["no", "keep"],
    ["False", "keep"],
  ])("understands %s as YAML's words of then", async (word, kept) => {
    const volumes = `volumes: [{ name: /dev/sdb, size: 10, delete_on_termination: ${word} }]\n`;
    const { cluster } = await clusterOf({ "conf.yml": conf("1", volumes) }, { cc: "#cloud-config\n" });
    expect(cluster.groups[0]?.volumes).toMatchObject([{ onTermination: kept }]);
  });

  it("says what is wrong with a count, and with a volume that has no name", async () => {
    const text = await problemsOf({ "conf.yml": conf("many", "volumes: [{ size: 1 }]\n") }, { cc: "#cloud-config\n" });
    expect(text).toContain("conf.yml:3:1: error: instances_count is not a number of machines");
    expect(text).toContain("conf.yml:4:11: error: the volume has no name");
  });
});

describe("files that are none of these", () => {
  it.each([
    ["text", "hello\n", "none of the files that convert reads"],
    ["a cluster.yml", "name: x\ngroups: { control: {} }\n", "a cluster.yml already"],
    ["nothing", "", "none of the files that convert reads"],
  ])("%s", async (_, text, message) => {
    expect(await problemsOf({ "x.yml": text })).toContain(`x.yml:1:1: error: this is ${message}`);
  });
});
