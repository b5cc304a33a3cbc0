import type { AwsCredentials } from "../../../src/host/aws/request.ts";
import type { Clock } from "../../../src/host/clock.ts";
import { denied, dropped, good, requestId } from "./answers.ts";
import { type AutoScaling, autoScalingOf } from "./autoscaling/autoscaling.ts";
import { type Answer, type Call, type Caller, isMutating, type Recorded, Refusal, refusalAnswer } from "./call.ts";
import { type CloudFormation, cloudFormationOf } from "./cloudformation/cloudformation.ts";
import { type StandInClock, standInClock } from "./clock.ts";
import { type Ec2, ec2Of } from "./ec2/ec2.ts";
import type { Instance } from "./ec2/instances.ts";
import { faultBook, type Faults, refusalOf } from "./faults.ts";
import { identities, serveSts } from "./identity.ts";
import { type Listening, listenWith } from "./listen.ts";
import { metadataAnswer, metadataHost, type MetadataOf } from "./metadata.ts";
import { backendOf, type Moto, readAnswer } from "./moto.ts";
import { internalCall } from "./internal.ts";
import { type Nodes, obedientNodes } from "./nodes.ts";
import { iamActions } from "./rights.ts";
import { iamOf } from "./iam.ts";
import { serveJson } from "./json.ts";
import type { Place, Settings } from "./place.ts";
import { durations } from "./durations.ts";
import { hearRequest } from "./request.ts";
import { type Buckets, type S3, s3Of } from "./s3/s3.ts";

/** One program under test: killed, none of its requests is answered any more, and none of its sleeps ends. */
export type Client = {
  readonly fetch: typeof fetch;
  readonly clock: Clock;
  readonly credentials: AwsCredentials;
  kill(): void;
  readonly killed: boolean;
};

/** Where a test may look at a call, and kill who made it: before it is sent, after AWS has done it, after the answer. */
export type Boundary = "before" | "committed" | "answered";
export type OnRequest = (boundary: Boundary, call: Call, n: number, client: Client) => void;

export interface StandIn {
  readonly clock: StandInClock;
  readonly region: string;
  readonly account: string;
  /** As whoever launches: signed requests to `https://SERVICE.REGION.amazonaws.com` are answered. */
  readonly fetch: typeof fetch;
  readonly credentials: AwsCredentials;
  readonly faults: Faults;
  readonly settings: Settings;
  /** Every call so far, in its order. */
  readonly calls: readonly Recorded[];
  /** What CloudFormation has asked in its caller's name, as IAM's actions by type of resource. */
  readonly onBehalf: ReadonlyMap<string, ReadonlySet<string>>;
  nodes: Nodes;
  onRequest: OnRequest | undefined;
  /** A program that can be killed; of another account if that is said. */
  client(options?: { readonly account?: string; readonly expires?: number }): Client;
  /** A program on an instance: with its role, whatever it signs, and its metadata service. */
  asInstance(id: string): Client;
  /** Answers on loopback, for whole processes; the service is read from the signature. */
  listen(): Promise<Listening>;
  /** From this moment on, all credentials are old. */
  expireCredentials(): void;
  /** What there is in an account and region, for a look past the API and for changes out of band. */
  place(account?: string, region?: string): Services;
  /** Everything as at the beginning; instances' programs, faults and settings too. */
  reset(): Promise<void>;
}

export type Services = {
  readonly place: Place;
  readonly ec2: Ec2;
  readonly autoscaling: AutoScaling;
  readonly cloudformation: CloudFormation;
  readonly s3: S3;
};

export type StandInOptions = { readonly region?: string; readonly account?: string };

function usualSettings(): Settings {
  return {
    pageSize: undefined,
    visibleAfter: 0,
    profileVisibleAfter: durations.profileVisible * 1_000,
    interfaceLingers: 0,
    noCapacity: new Set(),
    quotas: { vcpus: 32, addresses: 5, vpcs: 5 },
    denied: new Set(),
  };
}

/** A stand-in for AWS over a moto that runs: all requests of a program under test go through its `fetch`. */
export async function standInOver(
  moto: Moto,
  { region = "eu-central-1", account = "012345678901" }: StandInOptions = {},
): Promise<StandIn> {
  const clock = standInClock();
  const faults = faultBook(clock.now);
  const settings = usualSettings();
  const calls: Recorded[] = [];
  const onBehalf = new Map<string, Set<string>>();
  const places = new Map<string, Services & { readonly serve: (call: Call) => Promise<Answer> }>();
  const buckets: Buckets = new Map();
  const iams = new Map<string, ReturnType<typeof iamOf>>();
  let ids = 0;
  let n = 0;

  const id = (prefix: string): string => {
    ids++;
    // Spread, so that nobody relies on their order.
    const spread = (Math.imul(ids, 0x9e3779b1) >>> 0).toString(16).padStart(8, "0");
    return `${prefix}0${spread}${ids.toString(16).padStart(8, "0")}`;
  };
  let keys = identities(clock.now, id);

  const servicesIn = (of: string, where: string): Services & { readonly serve: (call: Call) => Promise<Answer> } => {
    const key = `${of} ${where}`;
    const there = places.get(key);
    if (there !== undefined) return there;
    const asAws: Caller = { account: of, arn: `arn:aws:iam::${of}:role/aws-service-role`, userId: "AWS" };
    const place: Place = {
      account: of,
      region: where,
      clock,
      settings,
      faults,
      backend: backendOf(moto, clock, where, of),
      id,
      onBehalf(type, service, action, parameters) {
        const known = onBehalf.get(type) ?? new Set();
        onBehalf.set(type, known);
        for (const one of iamActions({
          service,
          action,
          tagged: "TagSpecification" in parameters || "Tags" in parameters,
        }))
          known.add(one);
      },
      async ask(service, action, parameters = {}, as = asAws) {
        const answer = await serve(internalCall(service, action, parameters, as, where));
        const root = readAnswer(answer, service, action);
        return root;
      },
    };
    const iam = iams.get(of) ?? iamOf(place);
    iams.set(of, iam);
    const ec2 = ec2Of(place, iam.profileAge);
    const autoscaling = autoScalingOf(place, ec2);
    const s3 = s3Of(place, buckets);
    const zones = ["a", "b", "c"].map((letter) => `${where}${letter}`);
    const cloudformation = cloudFormationOf(place, zones, (call) => async (bucket, object) => {
      const read: Call = {
        ...call,
        service: "s3",
        action: "GetObject",
        method: "GET",
        path: `/${bucket}/${object}`,
        query: new URLSearchParams(),
        headers: new Headers(),
        body: new Uint8Array(),
      };
      try {
        const { body } = await good(s3.serve(read));
        return typeof body === "string" ? body : new TextDecoder().decode(body);
      } catch (error) {
        if (error instanceof Refusal) throw new Refusal("ValidationError", `S3 error: ${error.message}`);
        throw error;
      }
    });
    const stacks = () =>
      [...cloudformation.stacks.values()]
        .filter(({ status }) => status !== "DELETE_COMPLETE")
        .map((stack) => ({ arn: stack.id, tags: stack.now?.tags ?? new Map<string, string>() }));
    const serve = async (call: Call): Promise<Answer> => {
      switch (call.service) {
        case "ec2":
          return ec2.serve(call);
        case "autoscaling":
          return autoscaling.serve(call);
        case "cloudformation":
          return cloudformation.serve(call);
        case "s3":
          return s3.serve(call);
        case "iam":
          return iam.serve(call);
        case "sts":
          return serveSts(call);
        default:
          return serveJson(place, call, { buckets, stacks });
      }
    };
    ec2.instances.onState((instance, before) => {
      if (instance.state === "running") standIn.nodes.booted(instance);
      if (instance.state === "stopped") standIn.nodes.stopped(instance);
      if (instance.state === "terminated" && before !== "terminated") standIn.nodes.terminated(instance);
    });
    ec2.instances.onReboot((instance) => standIn.nodes.rebooted?.(instance));
    autoscaling.engine.onWait((instance, group, hook) => {
      // Nobody is at home in one that is stopped.
      if (hook.transition === "autoscaling:EC2_INSTANCE_TERMINATING" && instance.state === "running")
        standIn.nodes.leaving(instance, group, hook);
    });
    const made = { place, ec2, autoscaling, cloudformation, s3, serve };
    places.set(key, made);
    return made;
  };

  const clientOf = (credentials: AwsCredentials, node?: MetadataOf): Client => {
    const own = clock.client();
    let killed = false;
    const client: Client = {
      credentials,
      clock: own,
      get killed() {
        return killed;
      },
      kill() {
        killed = true;
        own.end();
      },
      async fetch(input, init) {
        if (killed) return forever();
        const go = clock.hold();
        try {
          const request = new Request(input, init);
          if (node !== undefined && new URL(request.url).hostname === metadataHost)
            return metadataAnswer(request, node);
          const answer = await answerTo(request, client, node !== undefined);
          return killed ? await forever(go) : answer;
        } finally {
          go();
        }
      },
    };
    return client;
  };

  const answerTo = async (request: Request, client: Client, signed: boolean): Promise<Response> => {
    const number = ++n;
    let heard;
    try {
      heard = await hearRequest(request, region);
    } catch (error) {
      if (error instanceof Refusal)
        return respond(refusalAnswer(error, "sts", requestId(number)), number, request.method);
      throw error;
    }
    let call: Call = { ...heard, caller: { account, arn: "", userId: "" } };
    const note = (outcome: string): void => {
      calls.push({
        n: number,
        service: call.service,
        action: call.action,
        time: clock.now(),
        mutating: isMutating(call.service, call.action, call.parameters),
        caller: call.caller.arn,
        parameters: call.parameters,
        path: call.path,
        outcome,
      });
    };
    const stop = async (boundary: Boundary): Promise<void> => {
      standIn.onRequest?.(boundary, call, number, client);
      if (client.killed) throw new Killed();
    };
    try {
      try {
        const key = client.credentials.accessKeyId;
        const headers = signed ? new Headers({ authorization: `Credential=${key}/` }) : heard.headers;
        call = { ...heard, caller: keys.caller(headers, heard.query, heard.service) };
        await stop("before");
        const fault = faults.meets(call);
        if (fault?.kind === "refuse") throw refusalOf(fault);
        if (fault?.kind === "drop" && fault.when === "before") {
          note("dropped");
          throw dropped(fault.message);
        }
        if (settings.denied.has(`${call.service}:${call.action}`)) throw denied(call);
        const answer = await servicesIn(call.caller.account, call.region).serve(call);
        await stop("committed");
        if (fault?.kind === "drop") {
          note("dropped");
          throw dropped(fault.message);
        }
        if (fault?.kind === "spoil") throw refusalOf(fault);
        note(answer.status < 400 ? "" : `status ${answer.status}`);
        const response = respond(answer, number, call.method);
        await stop("answered");
        return response;
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        note(error.code);
        const response = respond(refusalAnswer(error, call.service, requestId(number)), number, call.method);
        await stop("answered");
        return response;
      }
    } catch (error) {
      if (error instanceof Killed) return new Response(null, { status: 599 });
      throw error;
    }
  };

  const respond = (answer: Answer, number: number, method: string): Response => {
    const bare = method === "HEAD" || answer.status === 204 || answer.status === 304;
    return new Response(bare ? null : typeof answer.body === "string" ? answer.body : answer.body.slice(), {
      status: answer.status,
      headers: { ...answer.headers, date: new Date(clock.now()).toUTCString(), "x-amzn-requestid": requestId(number) },
    });
  };

  const issue = (of: string, expires?: number): AwsCredentials =>
    keys.issue({ account: of, arn: `arn:aws:iam::${of}:user/operator`, userId: "AIDAOPERATOR" }, expires);

  let first = clientOf(issue(account));
  const roles = new Map<string, Client>();

  const standIn: StandIn = {
    clock,
    region,
    account,
    get fetch() {
      return first.fetch;
    },
    get credentials() {
      return first.credentials;
    },
    faults,
    settings,
    calls,
    onBehalf,
    nodes: { booted: () => undefined, leaving: () => undefined, stopped: () => undefined, terminated: () => undefined },
    onRequest: undefined,
    client: ({ account: of = account, expires } = {}) => clientOf(issue(of, expires)),
    asInstance(instanceId) {
      const there = roles.get(instanceId);
      if (there !== undefined && !there.killed) return there;
      const instance = find(instanceId);
      const role = iams.get(instance.account)?.roleOf(instance.profile.split("/").at(-1) ?? "");
      if (role === undefined) throw new Error(`the instance ${instanceId} has no role`);
      const caller: Caller = {
        account: instance.account,
        arn: `arn:aws:sts::${instance.account}:assumed-role/${role.name}/${instance.id}`,
        userId: `${role.id}:${instance.id}`,
      };
      const client = clientOf(keys.issue(caller, Number.MAX_SAFE_INTEGER), {
        instance,
        role: role.name,
        credentials() {
          const until = clock.now() + 6 * 3_600_000;
          return { credentials: keys.issue(caller, until), until };
        },
      });
      roles.set(instanceId, client);
      return client;
    },
    listen: () => listenWith((input, init) => standIn.fetch(input, init)),
    expireCredentials: () => keys.expireAll(),
    place: (of = account, where = region) => servicesIn(of, where),
    async reset() {
      for (const client of roles.values()) client.kill();
      first.kill();
      clock.clear();
      await clock.settled();
      clock.clear();
      places.clear();
      buckets.clear();
      iams.clear();
      roles.clear();
      faults.clear();
      calls.length = 0;
      onBehalf.clear();
      n = 0;
      Object.assign(settings, usualSettings());
      keys = identities(clock.now, id);
      first = clientOf(issue(account));
      standIn.onRequest = undefined;
      await moto.reset();
      standIn.nodes = obedientNodes(standIn);
    },
  };

  const find = (instanceId: string): Instance => {
    for (const { ec2 } of places.values()) {
      const instance = ec2.instances.all.get(instanceId);
      if (instance !== undefined) return instance;
    }
    throw new Error(`there is no instance ${instanceId}`);
  };

  await standIn.reset();
  return standIn;
}

/** Who asked is no more. */
class Killed extends Error {}

function forever(go?: () => void): Promise<never> {
  go?.();
  return new Promise(() => undefined);
}
