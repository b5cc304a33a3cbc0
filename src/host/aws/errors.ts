/**
 * What AWS's refusals mean for who asked. `throttled`, `unreachable`: again, later; `pending`: what was just made is not seen
 * everywhere yet; `expired`, `skewed`: again with other credentials or by AWS's clock; `conflict`: something else is under way;
 * `gone`: there is no such thing.
 */
export type AwsTrouble =
  | "throttled"
  | "unreachable"
  | "pending"
  | "expired"
  | "skewed"
  | "forbidden"
  | "conflict"
  | "exists"
  | "quota"
  | "capacity"
  | "gone"
  | "invalid";

const codes: Readonly<Record<string, AwsTrouble>> = {
  ConditionalRequestConflict: "throttled",
  OperationAborted: "throttled",
  PriorRequestNotComplete: "throttled",
  SlowDown: "throttled",
  RequestTimeout: "unreachable",
  TokenRefreshRequired: "expired",
  RequestExpired: "expired",
  RequestTimeTooSkewed: "skewed",
  InvalidSignatureException: "skewed",
  RequestInTheFuture: "skewed",
  AccessDenied: "forbidden",
  AccessDeniedException: "forbidden",
  AuthFailure: "forbidden",
  InvalidClientTokenId: "forbidden",
  OptInRequired: "forbidden",
  SubscriptionRequiredException: "forbidden",
  UnauthorizedOperation: "forbidden",
  UnrecognizedClientException: "forbidden",
  AlreadyExistsException: "exists",
  BucketAlreadyExists: "exists",
  BucketAlreadyOwnedByYou: "exists",
  EntityAlreadyExists: "exists",
  DependencyViolation: "conflict",
  // A token is of one attempt; the next one has another.
  IdempotentParameterMismatch: "conflict",
  IncorrectInstanceState: "conflict",
  InvalidChangeSetStatus: "conflict",
  InvalidChangeSetStatusException: "conflict",
  OperationInProgressException: "conflict",
  ResourceContention: "conflict",
  ResourceContentionFault: "conflict",
  ResourceInUse: "conflict",
  ResourceInUseFault: "conflict",
  ScalingActivityInProgress: "conflict",
  ScalingActivityInProgressFault: "conflict",
  TokenAlreadyExistsException: "conflict",
  VolumeInUse: "conflict",
  InsufficientInstanceCapacity: "capacity",
  ChangeSetNotFound: "gone",
  ChangeSetNotFoundException: "gone",
  NoSuchBucket: "gone",
  NoSuchEntity: "gone",
  NoSuchKey: "gone",
  NoSuchResourceException: "gone",
  ResourceNotFoundException: "gone",
};

/** CloudFormation says of a stack that is not there, and EC2 of a profile that is not seen yet, only in words. */
const words: readonly (readonly [RegExp, AwsTrouble])[] = [
  [/Stack(?: with id|:?) \S+ does not exist/i, "gone"],
  [/(?:Auto ?Scaling ?Group|group) (?:name )?not found/i, "gone"],
  [/Signature (?:expired|not yet current)/, "skewed"],
  [/Invalid IAM Instance Profile/i, "pending"],
  [/\bis in [A-Z_]+_IN_PROGRESS state/, "conflict"],
  [/not authorized to perform/i, "forbidden"],
];

/** What a refusal is; the code is AWS's own, the status HTTP's (0: none came). */
export function troubleOf(code: string, status = 0, message = ""): AwsTrouble {
  const known = Object.hasOwn(codes, code) ? codes[code] : undefined;
  if (known !== undefined) return known;
  if (/Thrott|RequestLimitExceeded|TooManyRequests/.test(code) || status === 429) return "throttled";
  if (code.startsWith("ExpiredToken")) return "expired";
  const said = words.find(([pattern]) => pattern.test(message))?.[1];
  if (said !== undefined) return said;
  if (/LimitExceeded|MaxSpotInstanceCountExceeded/.test(code)) return "quota";
  if (/NotFound(?:Exception)?$|\.NotFound$|\.NotFoundException$/.test(code)) return "gone";
  if (status >= 500 || (code === "" && status === 0)) return "unreachable";
  return status === 403 ? "forbidden" : "invalid";
}
