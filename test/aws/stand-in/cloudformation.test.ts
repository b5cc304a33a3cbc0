import {
  CreateChangeSetCommand,
  CreateStackCommand,
  DeleteStackCommand,
  DescribeStackResourcesCommand,
  DescribeStacksCommand,
  ExecuteChangeSetCommand,
  GetTemplateCommand,
  ListStackResourcesCommand,
  RollbackStackCommand,
  SignalResourceCommand,
  UpdateStackCommand,
  UpdateTerminationProtectionCommand,
  ValidateTemplateCommand,
} from "@aws-sdk/client-cloudformation";
import { DescribeVpcsCommand } from "@aws-sdk/client-ec2";
import { describe, expect, test } from "vitest";
import { rested } from "./example.ts";
import { obedientNodes } from "./nodes.ts";
import { sdkOver } from "./sdk.ts";
import { changeSet, eventsOf, group, made, network, templateWith } from "./small.ts";
import { useStandIn } from "./started.ts";

const started = useStandIn();

const vpcs = async () =>
  (
    await sdkOver(started.standIn.client()).ec2.send(
      new DescribeVpcsCommand({ Filters: [{ Name: "isDefault", Values: ["false"] }] }),
    )
  ).Vpcs ?? [];

describe("a creation", () => {
  test("that fails is rolled back to nothing, and its first failure is the cause", async () => {
    const { standIn } = started;
    standIn.faults.resource("Subnet", "create", { reason: "The subnet is not for us" });
    expect(await made(standIn, network)).toBe("ROLLBACK_COMPLETE");
    const events = await eventsOf(standIn);
    expect(events.filter((line) => line.includes("FAILED"))).toEqual([
      "Subnet CREATE_FAILED: The subnet is not for us",
    ]);
    expect(events).toContain(
      "small ROLLBACK_IN_PROGRESS: The following resource(s) failed to create: [Subnet]. Rollback requested by user.",
    );
    expect(events.at(-1)).toBe("small ROLLBACK_COMPLETE");
    expect(await vpcs()).toEqual([]);
  });

  test("stops what is on its way when something fails, and says so", async () => {
    const { standIn } = started;
    standIn.faults.resource("Quick", "create");
    const volume = { Type: "AWS::EC2::Volume", Properties: { AvailabilityZone: "eu-central-1a", Size: 1 } };
    expect(await made(standIn, { Quick: volume, Slow: volume })).toBe("ROLLBACK_COMPLETE");
    expect(await eventsOf(standIn)).toContain("Slow CREATE_FAILED: Resource creation cancelled");
  });

  test("is kept where rolling back is switched off, and RollbackStack takes it back", async () => {
    const { standIn } = started;
    standIn.faults.resource("Subnet", "create");
    expect(await made(standIn, network, { OnFailure: "DO_NOTHING" })).toBe("CREATE_FAILED");
    expect(await vpcs()).toHaveLength(1);
    await sdkOver(standIn.client()).cloudformation.send(new RollbackStackCommand({ StackName: "small" }));
    expect(await rested(standIn, "small")).toBe("ROLLBACK_COMPLETE");
    expect(await vpcs()).toEqual([]);
  });

  test("rolls back to ROLLBACK_FAILED when something will not go", async () => {
    const { standIn } = started;
    standIn.faults.resource("Subnet", "create");
    standIn.faults.resource("Vpc", "delete", { reason: "no" });
    expect(await made(standIn, network)).toBe("ROLLBACK_FAILED");
  });

  test("removes volumes of RetainExceptOnCreate when it is rolled back, and keeps them when it is deleted", async () => {
    const { standIn } = started;
    const volume = {
      Type: "AWS::EC2::Volume",
      DeletionPolicy: "RetainExceptOnCreate",
      Properties: { AvailabilityZone: "eu-central-1a", Size: 1 },
    };
    standIn.faults.resource("Subnet", "create");
    expect(await made(standIn, { ...network, Volume: volume })).toBe("ROLLBACK_COMPLETE");
    expect(await eventsOf(standIn)).toContain("Volume DELETE_COMPLETE");
    const { cloudformation } = sdkOver(standIn.client());
    await cloudformation.send(new DeleteStackCommand({ StackName: "small" }));
    expect(await made(standIn, { ...network, Volume: volume })).toBe("CREATE_COMPLETE");
    const { Stacks: [stack] = [] } = await cloudformation.send(new DescribeStacksCommand({ StackName: "small" }));
    await cloudformation.send(new DeleteStackCommand({ StackName: "small" }));
    expect(await rested(standIn, stack?.StackId ?? "")).toBe("DELETE_COMPLETE");
    expect(await eventsOf(standIn, stack?.StackId)).toContain("Volume DELETE_SKIPPED");
  });
});

describe("signals", () => {
  test("of nodes complete a group; one that fails, fails the stack at once", async () => {
    const { standIn } = started;
    standIn.nodes = obedientNodes(standIn, { ready: 60, says: () => "FAILURE" });
    const begun = standIn.clock.now();
    expect(await made(standIn, group()), (await eventsOf(standIn)).join("\n")).toBe("ROLLBACK_COMPLETE");
    const events = await eventsOf(standIn);
    expect(events.find((line) => line.startsWith("Group CREATE_FAILED"))).toBe(
      "Group CREATE_FAILED: Received 1 FAILURE signal(s) out of 1.  Unable to satisfy 100% MinSuccessfulInstancesPercent requirement",
    );
    expect(
      events.some((line) => /^Group CREATE_IN_PROGRESS: Received FAILURE signal with UniqueId i-[0-9a-f]+$/.test(line)),
    ).toBe(true);
    // Not the five minutes that a silent node has.
    expect(standIn.clock.now() - begun).toBeLessThan(400_000);
  });

  test("that do not come within the time are a failure", async () => {
    const { standIn } = started;
    standIn.nodes = obedientNodes(standIn, { says: () => "silence" });
    expect(await made(standIn, group())).toBe("ROLLBACK_COMPLETE");
    expect(await eventsOf(standIn)).toContain(
      "Group CREATE_FAILED: Received 0 SUCCESS signal(s) out of 1.  Unable to satisfy 100% MinSuccessfulInstancesPercent requirement",
    );
    expect(await eventsOf(standIn)).toContain(
      "Group CREATE_IN_PROGRESS: Failed to receive 1 resource signal(s) for the current batch.  Each resource signal timeout is counted as a FAILURE.",
    );
  });

  test("are refused once the stack is complete", async () => {
    const { standIn } = started;
    expect(await made(standIn, group())).toBe("CREATE_COMPLETE");
    const { cloudformation } = sdkOver(standIn.client());
    const signal = new SignalResourceCommand({
      StackName: "small",
      LogicalResourceId: "Group",
      UniqueId: "i-1",
      Status: "FAILURE",
    });
    await expect(cloudformation.send(signal)).rejects.toMatchObject({ name: "ValidationError" });
  });
});

describe("a request", () => {
  test("for IAM's resources needs the capability", async () => {
    const { cloudformation } = sdkOver(started.standIn.client());
    const asked = new CreateStackCommand({ StackName: "small", TemplateBody: templateWith(group()) });
    await expect(cloudformation.send(asked)).rejects.toMatchObject({
      name: "InsufficientCapabilitiesException",
      message: "Requires capabilities : [CAPABILITY_IAM]",
    });
  });

  test("says all parameters that have no value, and those that there are not", async () => {
    const { cloudformation } = sdkOver(started.standIn.client());
    const body = templateWith(network, {
      Parameters: { Image: { Type: "AWS::EC2::Image::Id" }, Other: { Type: "String" } },
    });
    const ask = (parameters: readonly { readonly ParameterKey: string; readonly ParameterValue: string }[]) =>
      cloudformation.send(
        new CreateStackCommand({ StackName: "small", TemplateBody: body, Parameters: [...parameters] }),
      );
    await expect(ask([])).rejects.toMatchObject({
      name: "ValidationError",
      message: "Parameters: [Image, Other] must have values",
    });
    const other = { ParameterKey: "Other", ParameterValue: "x" };
    await expect(ask([other, { ParameterKey: "None", ParameterValue: "x" }])).rejects.toMatchObject({
      message: "Parameters: [None] do not exist in the template",
    });
    await expect(ask([other, { ParameterKey: "Image", ParameterValue: "ami-0abc" }])).rejects.toMatchObject({
      message: /ami-0abc for parameter name Image does not exist/,
    });
  });

  test("with a template's text takes 51,200 bytes", async () => {
    const { cloudformation } = sdkOver(started.standIn.client());
    const TemplateBody = templateWith(network, { Description: "x".repeat(51_200) });
    await expect(cloudformation.send(new ValidateTemplateCommand({ TemplateBody }))).rejects.toMatchObject({
      name: "ValidationError",
      message: expect.stringContaining("at 'templateBody' failed to satisfy constraint"),
    });
  });

  test("of a template whose resources wait for each other or for none is refused", async () => {
    const { cloudformation } = sdkOver(started.standIn.client());
    const ask = (resources: Parameters<typeof templateWith>[0]) =>
      cloudformation.send(new ValidateTemplateCommand({ TemplateBody: templateWith(resources) }));
    const waiting = (on: string) => ({
      Type: "AWS::EC2::VPC",
      DependsOn: on,
      Properties: { CidrBlock: "10.0.0.0/16" },
    });
    await expect(ask({ A: waiting("B"), B: waiting("A") })).rejects.toMatchObject({
      message: "Circular dependency between resources: [A, B]",
    });
    await expect(ask({ A: waiting("C") })).rejects.toMatchObject({
      message: "Template format error: Unresolved resource dependencies [C] in the Resources block of the template",
    });
  });

  test("with the token of one that was heard changes nothing more", async () => {
    const { standIn } = started;
    const { cloudformation } = sdkOver(standIn.client());
    const asked = new CreateStackCommand({
      StackName: "small",
      TemplateBody: templateWith(network),
      ClientRequestToken: "once",
    });
    const first = await cloudformation.send(asked);
    expect((await cloudformation.send(asked)).StackId).toBe(first.StackId);
    const { ClientRequestToken: _, ...without } = asked.input;
    await expect(cloudformation.send(new CreateStackCommand(without))).rejects.toMatchObject({
      name: "AlreadyExistsException",
      message: "Stack [small] already exists",
    });
  });

  test("while an operation runs is refused, and so is the deletion of a protected stack", async () => {
    const { standIn } = started;
    const { cloudformation } = sdkOver(standIn.client());
    const { StackId: id = "" } = await cloudformation.send(
      new CreateStackCommand({
        StackName: "small",
        TemplateBody: templateWith(network),
        EnableTerminationProtection: true,
      }),
    );
    const update = new UpdateStackCommand({ StackName: "small", TemplateBody: templateWith(network) });
    await expect(cloudformation.send(update)).rejects.toMatchObject({
      name: "ValidationError",
      message: `Stack:${id} is in CREATE_IN_PROGRESS state and can not be updated.`,
    });
    await rested(standIn, id);
    await expect(cloudformation.send(new DeleteStackCommand({ StackName: "small" }))).rejects.toMatchObject({
      message: "Stack [small] cannot be deleted while TerminationProtection is enabled",
    });
    await cloudformation.send(
      new UpdateTerminationProtectionCommand({ StackName: "small", EnableTerminationProtection: false }),
    );
    await cloudformation.send(new DeleteStackCommand({ StackName: "small" }));
    expect(await rested(standIn, id)).toBe("DELETE_COMPLETE");
    await expect(cloudformation.send(new DescribeStacksCommand({ StackName: "small" }))).rejects.toMatchObject({
      name: "ValidationError",
      message: "Stack with id small does not exist",
    });
    await expect(cloudformation.send(new DeleteStackCommand({ StackName: "small" }))).resolves.toBeDefined();
  });
});

describe("a change set", () => {
  test("that creates leaves REVIEW_IN_PROGRESS behind until it is executed or the stack deleted", async () => {
    const { standIn } = started;
    const { cloudformation } = sdkOver(standIn.client());
    const set = await changeSet(standIn, "CREATE", network);
    expect(set.Status).toBe("CREATE_COMPLETE");
    expect(set.Changes?.map(({ ResourceChange: one }) => [one?.Action, one?.LogicalResourceId])).toEqual([
      ["Add", "Subnet"],
      ["Add", "Vpc"],
    ]);
    const review = await cloudformation.send(new DescribeStacksCommand({ StackName: "small" }));
    expect(review.Stacks?.[0]?.StackStatus).toBe("REVIEW_IN_PROGRESS");
    expect(await vpcs()).toEqual([]);
    await cloudformation.send(new ExecuteChangeSetCommand({ StackName: "small", ChangeSetName: "change" }));
    expect(await rested(standIn, "small")).toBe("CREATE_COMPLETE");
    const { StackResources: resources = [] } = await cloudformation.send(
      new DescribeStackResourcesCommand({ StackName: "small" }),
    );
    expect(resources.map((one) => one.ResourceStatus)).toEqual(["CREATE_COMPLETE", "CREATE_COMPLETE"]);
    expect((await cloudformation.send(new GetTemplateCommand({ StackName: "small" }))).TemplateBody).toBe(
      templateWith(network),
    );
  });

  test("without changes fails, and says in AWS's words that it has none", async () => {
    const { standIn } = started;
    await made(standIn, network);
    const set = await changeSet(standIn, "UPDATE", network);
    expect(set.Status).toBe("FAILED");
    expect(set.StatusReason).toContain("didn't contain changes");
    const { cloudformation } = sdkOver(standIn.client());
    await expect(
      cloudformation.send(new ExecuteChangeSetCommand({ StackName: "small", ChangeSetName: "change" })),
    ).rejects.toMatchObject({ name: "InvalidChangeSetStatusException" });
  });

  test("says what is replaced, and what may follow from it", async () => {
    const { standIn } = started;
    await made(standIn, network);
    const set = await changeSet(standIn, "UPDATE", {
      ...network,
      Vpc: { Type: "AWS::EC2::VPC", Properties: { CidrBlock: "10.0.0.0/17" } },
    });
    const found = Object.fromEntries(
      set.Changes?.map(({ ResourceChange: one }) => [one?.LogicalResourceId, one]) ?? [],
    );
    expect(found["Vpc"]).toMatchObject({ Action: "Modify", Replacement: "True", Scope: ["Properties"] });
    expect(found["Subnet"]).toMatchObject({ Action: "Modify", Replacement: "Conditional" });
    expect(found["Subnet"]?.Details?.[0]).toMatchObject({
      Evaluation: "Dynamic",
      ChangeSource: "ResourceReference",
      CausingEntity: "Vpc",
    });
  });

  test("is obsolete when another has been executed, and is made once for one token", async () => {
    const { standIn } = started;
    await made(standIn, network);
    const more = { ...network, Other: { Type: "AWS::EC2::VPC", Properties: { CidrBlock: "10.1.0.0/16" } } };
    await changeSet(standIn, "UPDATE", more, "one");
    await changeSet(standIn, "UPDATE", more, "two");
    const { cloudformation } = sdkOver(standIn.client());
    await cloudformation.send(new ExecuteChangeSetCommand({ StackName: "small", ChangeSetName: "one" }));
    await expect(
      cloudformation.send(new ExecuteChangeSetCommand({ StackName: "small", ChangeSetName: "two" })),
    ).rejects.toMatchObject({
      name: "InvalidChangeSetStatusException",
      message: expect.stringContaining("current execution status of [OBSOLETE]"),
    });
    expect(await rested(standIn, "small")).toBe("UPDATE_COMPLETE");
    const asked = new CreateChangeSetCommand({
      StackName: "small",
      ChangeSetName: "three",
      TemplateBody: templateWith(network),
      ClientToken: "t",
    });
    const first = await cloudformation.send(asked);
    expect((await cloudformation.send(asked)).Id).toBe(first.Id);
  });
});

test("answers of lists come in pages, and the newest event first", async () => {
  const { standIn } = started;
  await made(standIn, network);
  standIn.settings.pageSize = 1;
  const { cloudformation } = sdkOver(standIn.client());
  const first = await cloudformation.send(new ListStackResourcesCommand({ StackName: "small" }));
  expect(first.StackResourceSummaries).toHaveLength(1);
  const rest = await cloudformation.send(
    new ListStackResourcesCommand({ StackName: "small", NextToken: first.NextToken }),
  );
  expect(rest.StackResourceSummaries).toHaveLength(1);
  expect(rest.NextToken).toBeUndefined();
  const events = await eventsOf(standIn);
  expect(events[0]).toBe("small CREATE_IN_PROGRESS: User Initiated");
  expect(events.at(-1)).toBe("small CREATE_COMPLETE");
});
