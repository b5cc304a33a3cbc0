import { errorOf } from "../../../host/aws/request.ts";
import { AwsFailure, isTrouble } from "../clients/caller.ts";
import { bucketTags, isOwn } from "./make.ts";
import { askBucket, xmlOne, xmlParts, xmlText, type Place } from "./requests.ts";

/** Writers may still be at it: after so many rounds it is an error. */
const mostRounds = 200;

/** Empties the bucket of every version of everything, and deletes it. What is not the cluster's is not touched. */
export async function removeBucket(place: Place, cluster: string, signal: AbortSignal): Promise<void> {
  const tags = await bucketTags(place);
  if (tags === undefined) return;
  // A bucket whose making was interrupted has no tag yet; it is empty, or looking at its tags has failed.
  if (tags.size > 0 && !isOwn(tags, place, cluster)) return;
  for (let round = 0; round < mostRounds; round++) {
    signal.throwIfAborted();
    const listed = await askBucket(
      place,
      { action: "s3:ListBucketVersions", method: "GET", path: "?versions&max-keys=1000" },
      "NoSuchBucket",
    );
    if (listed.status === 404) return;
    const objects = [...xmlParts(listed, "Version"), ...xmlParts(listed, "DeleteMarker")].map((part) => ({
      key: xmlOne(part, "Key") ?? "",
      version: xmlOne(part, "VersionId") ?? "null",
    }));
    if (objects.length > 0) await removeObjects(place, objects);
    else if (await deleted(place)) return;
  }
  throw new AwsFailure(
    "conflict",
    "BucketNotEmpty",
    "s3:DeleteBucket",
    `the bucket ${place.bucket} is written to all the time`,
  );
}

async function deleted(place: Place): Promise<boolean> {
  try {
    await askBucket(place, { action: "s3:DeleteBucket", method: "DELETE" }, "NoSuchBucket");
    return true;
  } catch (error) {
    // Somebody has written since it was listed.
    if (isTrouble(error, "invalid", "conflict") && error.code === "BucketNotEmpty") return false;
    throw error;
  }
}

async function removeObjects(
  place: Place,
  objects: readonly { readonly key: string; readonly version: string }[],
): Promise<void> {
  const body = `<Delete><Quiet>true</Quiet>${objects.map(({ key, version }) => `<Object><Key>${xmlText(key)}</Key><VersionId>${xmlText(version)}</VersionId></Object>`).join("")}</Delete>`;
  const answer = await askBucket(place, { action: "s3:DeleteObjectVersion", method: "POST", path: "?delete", body });
  const [refused] = xmlParts(answer, "Error");
  if (refused === undefined) return;
  const { code, message } = errorOf({ status: 400, body: new TextEncoder().encode(refused) });
  throw new AwsFailure(
    "forbidden",
    code,
    "s3:DeleteObjectVersion",
    `${xmlOne(refused, "Key") ?? "an object"} stays: ${message}`,
  );
}
