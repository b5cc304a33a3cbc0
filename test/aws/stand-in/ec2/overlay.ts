import { type Parameters, printed, said, texts } from "../parameters.ts";
import type { Place } from "../place.ts";
import { Refusal } from "../call.ts";
import { at, type Element, listAt, setText, textAt } from "../xml.ts";
import { type Instance, type InstanceState, stateCodes } from "./instances.ts";

/** What is on its way, beside what moto says: until then a volume is attaching, or detaching. */
export type Transit = { readonly state: string; readonly until: number };

/** Lays instances' own states over moto's answer to DescribeInstances or RunInstances. */
export function patchInstance(item: Element, instance: Instance): void {
  setText(item, ["instanceState", "code"], String(stateCodes[instance.state]));
  setText(item, ["instanceState", "name"], instance.state);
  setText(item, ["launchTime"], new Date(instance.launchedAt).toISOString());
  if (instance.state === "terminated") {
    setText(item, ["reason"], "User initiated");
    for (const name of ["privateIpAddress", "ipAddress", "subnetId", "vpcId"])
      item.children.splice(0, item.children.length, ...item.children.filter((child) => child.name !== name));
  }
}

export function stateFilters(parameters: Parameters): {
  readonly states: ReadonlySet<string> | undefined;
  readonly rest: Parameters;
} {
  const filters = parameters["Filter"];
  if (typeof filters !== "object") return { states: undefined, rest: parameters };
  const left: { [key: string]: string | Parameters } = {};
  let states: Set<string> | undefined;
  let count = 0;
  for (const filter of Object.values(filters)) {
    if (typeof filter !== "object") continue;
    const name = said(filter, "Name");
    const values = texts(filter, "Value");
    if (name === "instance-state-name") states = new Set(values);
    else if (name === "instance-state-code")
      states = new Set(
        Object.entries(stateCodes).flatMap(([state, code]) => (values.includes(String(code)) ? [state] : [])),
      );
    else left[String(++count)] = filter;
  }
  const { Filter: _, ...others } = parameters;
  return { states, rest: count === 0 ? others : { ...others, Filter: left } };
}

/** Without what the layer does itself. */
export function forwarded(parameters: Parameters): string {
  const { MaxResults: _most, NextToken: _next, ClientToken: _token, ...rest } = parameters;
  return printed(rest);
}

/** A page of a list: tokens name the next element and the size of the list, so that a torn one is noticed. */
export function page<Item>(
  items: readonly Item[],
  parameters: Parameters,
  names: { readonly most: string; readonly token: string },
  pageSize: number | undefined,
): { readonly items: readonly Item[]; readonly next: string | undefined } {
  const asked = Number(said(parameters, names.most) || "0");
  const size = Math.min(pageSize ?? Infinity, asked > 0 ? asked : Infinity);
  const token = said(parameters, names.token);
  const first = token === "" ? 0 : Number(/^page-(\d+)$/.exec(token)?.[1] ?? "NaN");
  if (Number.isNaN(first)) throw new Refusal("InvalidNextToken", "The token is not valid");
  if (first + size >= items.length) return { items: items.slice(first), next: undefined };
  return { items: items.slice(first, first + size), next: `page-${first + size}` };
}

/** Cuts an answer of moto's to a page. */
export function paged(answer: Element, parameters: Parameters, pageSize: number | undefined): void {
  if (pageSize === undefined && said(parameters, "MaxResults") === "" && said(parameters, "NextToken") === "") return;
  const list = answer.children.find(
    (child) => child.name !== "requestId" && (child.children.length > 0 || /(?:Set|Info|s)$/.test(child.name)),
  );
  if (list === undefined) return;
  const { items, next } = page([...list.children], parameters, { most: "MaxResults", token: "NextToken" }, pageSize);
  list.children.splice(0, list.children.length, ...items);
  answer.children.splice(0, answer.children.length, ...answer.children.filter(({ name }) => name !== "nextToken"));
  if (next !== undefined) setText(answer, ["nextToken"], next);
}

const ownIds =
  /^(?:vpc|subnet|group|volume|instance|networkInterface|routeTable|internetGateway|natGateway|vpcEndpoint|allocation|launchTemplate)Id$/;

/** Ids that are too young to be seen: EC2 is eventually consistent (EC2 user guide, "Ensuring eventual consistency"). */
export type Young = {
  born(answer: Element): void;
  /** Refuses ids that were asked for, and drops the others. */
  hide(parameters: Parameters, answer: Element): void;
  refuse(parameters: Parameters): void;
};

export function youngIds(place: Place): Young {
  const births = new Map<string, number>();
  const isYoung = (id: string): boolean => {
    const born = births.get(id);
    if (born === undefined) return false;
    if (place.clock.now() - born < place.settings.visibleAfter) return true;
    births.delete(id);
    return false;
  };
  const primary = (item: Element): string => item.children.find(({ name }) => ownIds.test(name))?.text ?? "";
  return {
    born(answer) {
      if (place.settings.visibleAfter === 0) return;
      const note = (element: Element, depth: number): void => {
        for (const child of element.children) {
          if (child.children.length === 0 && ownIds.test(child.name) && !births.has(child.text))
            births.set(child.text, place.clock.now());
          else if (depth > 0) note(child, depth - 1);
        }
      };
      note(answer, 2);
    },
    refuse(parameters) {
      for (const [name, value] of Object.entries(parameters)) {
        const asked = typeof value === "string" ? [value] : Object.values(value);
        for (const id of asked) if (typeof id === "string" && isYoung(id)) throw notFound(name.replace(/Id$/, ""), id);
      }
    },
    hide(_parameters, answer) {
      for (const list of answer.children) {
        const kept = list.children.filter((item) => {
          const inner = at(item, "instancesSet");
          if (inner === undefined) return !isYoung(primary(item));
          inner.children.splice(0, inner.children.length, ...inner.children.filter((one) => !isYoung(primary(one))));
          return inner.children.length > 0;
        });
        if (kept.length < list.children.length) list.children.splice(0, list.children.length, ...kept);
      }
    },
  };
}

const kinds: Readonly<Record<string, string>> = {
  Group: "InvalidGroup.NotFound",
  Volume: "InvalidVolume.NotFound",
  LaunchTemplate: "InvalidLaunchTemplateId.NotFound",
};

function notFound(kind: string, id: string): Refusal {
  return new Refusal(kinds[kind] ?? `Invalid${kind}ID.NotFound`, `The ${kind.toLowerCase()} ID '${id}' does not exist`);
}

/** Lays volumes' transits over DescribeVolumes. */
export function patchVolumes(answer: Element, transits: ReadonlyMap<string, Transit>, now: number): void {
  for (const volume of listAt(answer, "volumeSet")) {
    const transit = transits.get(textAt(volume, "volumeId"));
    if (transit === undefined || transit.until <= now) continue;
    for (const attachment of listAt(volume, "attachmentSet")) setText(attachment, ["status"], transit.state);
  }
}

/** The same for what has one state. */
export function patchStates(
  answer: Element,
  list: string,
  id: string,
  transits: ReadonlyMap<string, Transit>,
  now: number,
): void {
  for (const item of listAt(answer, list)) {
    const transit = transits.get(textAt(item, id));
    if (transit !== undefined && transit.until > now) setText(item, ["state"], transit.state);
  }
}

/** Instances' states over DescribeInstances; those that nobody sees any more are left out. */
export function patchReservations(
  answer: Element,
  instances: ReadonlyMap<string, Instance>,
  states: ReadonlySet<string> | undefined,
  forgotten: (instance: Instance) => boolean,
): void {
  const reservations = at(answer, "reservationSet");
  if (reservations === undefined) return;
  const kept = reservations.children.filter((reservation) => {
    const set = at(reservation, "instancesSet");
    if (set === undefined) return false;
    const seen = set.children.filter((item) => {
      const instance = instances.get(textAt(item, "instanceId"));
      if (instance === undefined) return states === undefined || states.has(textAt(item, "instanceState", "name"));
      if (forgotten(instance)) return false;
      patchInstance(item, instance);
      return states === undefined || states.has(instance.state satisfies InstanceState);
    });
    set.children.splice(0, set.children.length, ...seen);
    return seen.length > 0;
  });
  reservations.children.splice(0, reservations.children.length, ...kept);
}
