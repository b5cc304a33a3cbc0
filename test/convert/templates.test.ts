import { describe, expect, it } from "vitest";
import { clusterOf, problemsOf } from "./converting.ts";

const groupsOf = async (template: string) => {
  const { cluster, rows, yaml } = await clusterOf({ "t.yml": template });
  return { groups: cluster.groups.map(({ name, role, count }) => [name, role, count]), cluster, rows, yaml };
};

const unit = "- name: a.service\\n    command: start\\n    content: |\\n      [Service]\\n      ExecStart=/bin/echo ";
const config = `#cloud-config\\ncoreos:\\n  units:\\n  ${unit}`;

describe("user data", () => {
  it("is put together from every form of the functions", async () => {
    const { cluster } = await groupsOf(`
AWSTemplateFormatVersion: "2010-09-09"
Parameters:
  Word: { Type: String, Default: hello }
Resources:
  WorkerGroup:
    Type: AWS::AutoScaling::AutoScalingGroup
    Properties: { DesiredCapacity: 2, MinSize: 1, MaxSize: 4, LaunchConfigurationName: !Ref Config }
  Config:
    Type: AWS::AutoScaling::LaunchConfiguration
    Properties:
      BlockDeviceMappings:
        - { DeviceName: /dev/sdf, Ebs: { VolumeSize: 20, DeleteOnTermination: "false" } }
      UserData: !Base64
        Fn::Join:
          - ""
          - - "${config}"
            - !Ref Word
            - !Sub " \${Word} \${AWS::StackName} \${!x}"
            - "\\n"
`);
    expect(cluster.groups[0]?.units[0]?.content).toBe("[Service]\nExecStart=/bin/echo hello hello old ${x}\n");
    expect(cluster.groups[0]?.volumes).toMatchObject([
      { mount: "/mnt/sdf", onTermination: "keep", size: 20 * 1024 ** 3 },
    ]);
  });

  it("that is wrong is shown where its text stands in the template", async () => {
    const template = `AWSTemplateFormatVersion: "2010-09-09"
Resources:
  MasterAutoScale:
    Type: AWS::AutoScaling::AutoScalingGroup
    Properties:
      LaunchConfigurationName: { Ref: C }
  C:
    Type: AWS::AutoScaling::LaunchConfiguration
    Properties:
      UserData:
        Fn::Base64:
          Fn::Join:
            - ""
            - - ! "#cloud-config\\n"
              - ! "coreos:\\n"
              - ! "\\tunits: []\\n"
`;
    expect(await problemsOf({ "t.yml": template })).toMatch(/^t\.yml:16:\d+: error: /);
  });

  it("that is a script is said, not run", async () => {
    const { rows } = await groupsOf(
      'Resources: { Node: { Type: "AWS::EC2::Instance", Properties: { UserData: "#!/bin/sh\\nreboot" } } }\n',
    );
    expect(rows.find(({ what }) => what === "UserData")?.why).toContain("it is a script");
  });
});

describe("templates", () => {
  it("in JSON, with launch templates, are read", async () => {
    const template = {
      AWSTemplateFormatVersion: "2010-09-09",
      Resources: {
        EtcdASG: {
          Type: "AWS::AutoScaling::AutoScalingGroup",
          Properties: { MinSize: "4", LaunchTemplate: { LaunchTemplateId: { Ref: "T" } } },
        },
        T: {
          Type: "AWS::EC2::LaunchTemplate",
          Properties: { LaunchTemplateData: { UserData: { "Fn::Base64": "#cloud-config\nhostname: x\n" } } },
        },
      },
    };
    const { groups, rows } = await groupsOf(JSON.stringify(template, undefined, "\t"));
    expect(groups).toEqual([["etcd", "control", 3]]);
    expect(rows.map(({ what }) => what)).toContain("hostname: x");
  });

  it("of the Flocker installer keep their nodes, and no credentials", async () => {
    const node = (name: string) => `  ${name}:
    Type: AWS::EC2::Instance
    Properties: { InstanceType: m3.large, UserData: { "Fn::Base64": "#!/bin/bash\\nset -ex\\nswarm manage token://x\\n" } }
`;
    const { groups, rows, yaml } = await groupsOf(`AWSTemplateFormatVersion: "2010-09-09"
Parameters:
  AmazonAccessKeyID: { Type: String, NoEcho: true }
  AmazonSecretAccessKey: { Type: String, NoEcho: true, Default: geheim }
  EC2KeyPair: { Type: "AWS::EC2::KeyPair::KeyName" }
  S3AccessPolicy: { Type: String, AllowedValues: ["Yes"] }
  VolumeHubToken: { Type: String, Default: "" }
Resources:
  ClusterConfig: { Type: "AWS::S3::Bucket", DeletionPolicy: Retain }
  InstanceSecurityGroup:
    Type: AWS::EC2::SecurityGroup
    Properties:
      SecurityGroupIngress: [{ IpProtocol: tcp, FromPort: 0, ToPort: 65535, CidrIp: 0.0.0.0/0 }]
${node("ControlNode")}${node("AgentNode1")}${node("AgentNode2")}${node("ClientNode")}  ClientSetup: { Type: "AWS::CloudFormation::WaitCondition" }
Outputs:
  ControlNodeIP: { Value: { "Fn::GetAtt": [ControlNode, PublicIp] } }
`);
    expect(groups).toEqual([
      ["control-node", "control", 1],
      ["agent-node1", "worker", 1],
      ["agent-node2", "worker", 1],
      ["client-node", "worker", 1],
    ]);
    expect(yaml).not.toContain("geheim");
    expect(JSON.stringify(rows)).not.toContain("geheim");
    expect(rows.filter(({ verdict }) => verdict === "kept").map(({ what }) => what)).toContain("parameter EC2KeyPair");
  });

  it("without machines are a problem", async () => {
    expect(await problemsOf({ "t.yml": "Resources: { B: { Type: AWS::S3::Bucket } }\n" })).toContain(
      "t.yml:1:1: error: the template has no machines",
    );
  });

  it("beside another cluster's file are a problem", async () => {
    const files = {
      "t.yml": "Resources: { B: { Type: AWS::S3::Bucket } }\n",
      "c.yml": "cloud_config: x\nkey_pair: y\n",
    };
    expect(await problemsOf(files)).toContain("fix: convert one cluster at a time");
  });
});
