import { type Answer, type Call, Refusal } from "./call.ts";
import { readAnswer } from "./moto.ts";

/** As `fetch` says it. */
export function dropped(message: string): TypeError {
  return new TypeError("fetch failed", { cause: Object.assign(new Error(message), { code: "ECONNRESET" }) });
}

export function denied({ service, action, caller }: Call): Refusal {
  const message = `User: ${caller.arn} is not authorized to perform: ${service}:${action} because no identity-based policy allows the ${service}:${action} action`;
  if (service === "ec2")
    return new Refusal("UnauthorizedOperation", "You are not authorized to perform this operation.", 403);
  return new Refusal(
    service === "s3"
      ? "AccessDenied"
      : service === "sts" || service === "iam" || service === "cloudformation"
        ? "AccessDenied"
        : "AccessDeniedException",
    message,
    403,
  );
}

export function requestId(number: number): string {
  return `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
}

export async function good(answer: Promise<Answer>): Promise<Answer> {
  const { status, body } = await answer;
  if (status < 400) return { status, body };
  return { status, body: readAnswer({ status, body }, "s3", "GetObject").text };
}
