import { listAt, textAt } from "../../xml.ts";
import { type Handler, listIn, tagsOf, textIn } from "../handler.ts";
import type { Json, Section } from "../template.ts";

type Policy = { readonly PolicyName: string; readonly PolicyDocument: Json };

function policiesIn(properties: Section): readonly Policy[] {
  return listIn(properties, "Policies") as unknown as readonly Policy[];
}

export const accessHandlers = {
  "AWS::IAM::Role": {
    takes: { create: 15, update: 10, delete: 3 },
    replacedBy: ["Path", "RoleName"],
    async create(properties, context) {
      const name = textIn(properties, "RoleName") || context.name();
      const boundary = textIn(properties, "PermissionsBoundary");
      const answer = await context.ask("iam", "CreateRole", {
        RoleName: name,
        Path: textIn(properties, "Path") || "/",
        Description: textIn(properties, "Description"),
        AssumeRolePolicyDocument: JSON.stringify(properties["AssumeRolePolicyDocument"]),
        ...(boundary === "" ? {} : { PermissionsBoundary: boundary }),
        Tags: tagsOf(properties, context),
      });
      for (const policy of policiesIn(properties))
        await context.ask("iam", "PutRolePolicy", {
          RoleName: name,
          PolicyName: policy.PolicyName,
          PolicyDocument: JSON.stringify(policy.PolicyDocument),
        });
      const role = ["CreateRoleResult", "Role"];
      return {
        id: name,
        attributes: { Arn: textAt(answer, ...role, "Arn"), RoleId: textAt(answer, ...role, "RoleId") },
      };
    },
    async update(id, properties, before, context) {
      const kept = new Set(policiesIn(properties).map(({ PolicyName }) => PolicyName));
      for (const policy of policiesIn(properties))
        await context.ask("iam", "PutRolePolicy", {
          RoleName: id,
          PolicyName: policy.PolicyName,
          PolicyDocument: JSON.stringify(policy.PolicyDocument),
        });
      for (const { PolicyName } of policiesIn(before))
        if (!kept.has(PolicyName)) await context.ask("iam", "DeleteRolePolicy", { RoleName: id, PolicyName });
      await context.ask("iam", "TagRole", { RoleName: id, Tags: tagsOf(properties, context) });
      return undefined;
    },
    async delete(id, _properties, context) {
      const named = await context.ask("iam", "ListRolePolicies", { RoleName: id });
      for (const one of listAt(named, "ListRolePoliciesResult", "PolicyNames"))
        await context.ask("iam", "DeleteRolePolicy", { RoleName: id, PolicyName: one.text });
      await context.ask("iam", "DeleteRole", { RoleName: id });
    },
  },
  "AWS::IAM::InstanceProfile": {
    takes: { create: 120, update: 10, delete: 2 },
    replacedBy: ["Path", "InstanceProfileName"],
    async create(properties, context) {
      const name = textIn(properties, "InstanceProfileName") || context.name();
      const answer = await context.ask("iam", "CreateInstanceProfile", {
        InstanceProfileName: name,
        Path: textIn(properties, "Path") || "/",
      });
      for (const role of listIn(properties, "Roles"))
        await context.ask("iam", "AddRoleToInstanceProfile", { InstanceProfileName: name, RoleName: String(role) });
      return { id: name, attributes: { Arn: textAt(answer, "CreateInstanceProfileResult", "InstanceProfile", "Arn") } };
    },
    async update(id, properties, before, context) {
      for (const role of listIn(before, "Roles"))
        await context.ask("iam", "RemoveRoleFromInstanceProfile", { InstanceProfileName: id, RoleName: String(role) });
      for (const role of listIn(properties, "Roles"))
        await context.ask("iam", "AddRoleToInstanceProfile", { InstanceProfileName: id, RoleName: String(role) });
      return undefined;
    },
    async delete(id, properties, context) {
      for (const role of listIn(properties, "Roles"))
        await context.ask("iam", "RemoveRoleFromInstanceProfile", { InstanceProfileName: id, RoleName: String(role) });
      await context.ask("iam", "DeleteInstanceProfile", { InstanceProfileName: id });
    },
  },
  "AWS::Logs::LogGroup": {
    takes: { create: 5, update: 5, delete: 2 },
    replacedBy: ["LogGroupName"],
    async create(properties, context) {
      const name = textIn(properties, "LogGroupName") || context.name();
      await context.ask("logs", "CreateLogGroup", {
        logGroupName: name,
        tags: Object.fromEntries(tagsOf(properties, context).map(({ Key, Value }) => [Key, Value])),
      });
      const days = Number(textIn(properties, "RetentionInDays"));
      if (days > 0) await context.ask("logs", "PutRetentionPolicy", { logGroupName: name, retentionInDays: days });
      return {
        id: name,
        attributes: { Arn: `arn:aws:logs:${context.place.region}:${context.place.account}:log-group:${name}:*` },
      };
    },
    async update(id, properties, _before, context) {
      const days = Number(textIn(properties, "RetentionInDays"));
      if (days > 0) await context.ask("logs", "PutRetentionPolicy", { logGroupName: id, retentionInDays: days });
      return undefined;
    },
    async delete(id, _properties, context) {
      await context.ask("logs", "DeleteLogGroup", { logGroupName: id });
    },
  },
  "AWS::S3::Bucket": {
    takes: { create: 20, update: 10, delete: 5 },
    replacedBy: ["BucketName"],
    async create(properties, context) {
      const name = textIn(properties, "BucketName") || context.name().toLowerCase();
      await context.ask("s3", "CreateBucket", { Bucket: name });
      if (properties["VersioningConfiguration"] !== undefined)
        await context.ask("s3", "PutBucketVersioning", {
          Bucket: name,
          Body: "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>",
        });
      const tags = tagsOf(properties, context)
        .filter(({ Key }) => !Key.startsWith("aws:"))
        .map(({ Key, Value }) => `<Tag><Key>${Key}</Key><Value>${Value}</Value></Tag>`);
      await context.ask("s3", "PutBucketTagging", {
        Bucket: name,
        Body: `<Tagging><TagSet>${tags.join("")}</TagSet></Tagging>`,
      });
      return { id: name, attributes: { Arn: `arn:aws:s3:::${name}`, DomainName: `${name}.s3.amazonaws.com` } };
    },
    async update() {
      return undefined;
    },
    async delete(id, _properties, context) {
      await context.ask("s3", "DeleteBucket", { Bucket: id });
    },
  },
  "AWS::S3::BucketPolicy": {
    takes: { create: 2, update: 2, delete: 2 },
    replacedBy: ["Bucket"],
    async create(properties, context) {
      const bucket = textIn(properties, "Bucket");
      await context.ask("s3", "PutBucketPolicy", {
        Bucket: bucket,
        Body: JSON.stringify(properties["PolicyDocument"]),
      });
      return { id: bucket };
    },
    async update(id, properties, _before, context) {
      await context.ask("s3", "PutBucketPolicy", { Bucket: id, Body: JSON.stringify(properties["PolicyDocument"]) });
      return undefined;
    },
    async delete(id, _properties, context) {
      await context.ask("s3", "DeleteBucketPolicy", { Bucket: id });
    },
  },
} satisfies Record<string, Handler>;
