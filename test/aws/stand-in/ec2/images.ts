import { Refusal } from "../call.ts";
import { type Parameters, parts, said, texts } from "../parameters.ts";
import type { Shape } from "../xml.ts";

export type Image = {
  readonly id: string;
  readonly name: string;
  readonly owner: string;
  readonly architecture: "x86_64" | "arm64";
  /** ISO 8601. */
  readonly created: string;
  readonly rootDevice: string;
  readonly state: "available" | "deregistered";
  /** ISO 8601; from then on it warns. */
  readonly deprecated?: string;
};

/** Owners as their projects publish them: Flatcar, Fedora CoreOS, Debian, Canonical. */
export const imageOwners = {
  flatcar: "075585003325",
  "fedora-coreos": "125523088429",
  debian: "136693071363",
  ubuntu: "099720109477",
} as const;

/** The images that a test finds unless it says otherwise: two of each system, so that "newest" means something. */
export const usualImages: readonly Image[] = (["x86_64", "arm64"] as const).flatMap((architecture, index) => {
  const id = (n: number): string => `ami-0${String(n).padStart(2, "0")}${index}${"5a".repeat(6)}0`;
  const arm = architecture === "arm64";
  const image = (n: number, name: string, owner: string, created: string, rootDevice: string): Image => ({
    id: id(n),
    name,
    owner,
    architecture,
    created,
    rootDevice,
    state: "available",
  });
  const debian = arm ? "arm64" : "amd64";
  return [
    image(
      1,
      `Flatcar-stable-4459.2.1-hvm${arm ? "-arm64" : ""}`,
      imageOwners.flatcar,
      "2026-10-20T09:00:00.000Z",
      "/dev/xvda",
    ),
    image(
      2,
      `Flatcar-stable-4459.2.2-hvm${arm ? "-arm64" : ""}`,
      imageOwners.flatcar,
      "2026-11-12T09:00:00.000Z",
      "/dev/xvda",
    ),
    image(
      3,
      `fedora-coreos-44.20261026.3.0-${arm ? "aarch64" : "x86_64"}`,
      imageOwners["fedora-coreos"],
      "2026-11-02T09:00:00.000Z",
      "/dev/xvda",
    ),
    image(4, `debian-13-${debian}-20261015-2266`, imageOwners.debian, "2026-10-15T09:00:00.000Z", "/dev/xvda"),
    image(5, `debian-13-${debian}-20261110-2292`, imageOwners.debian, "2026-11-10T09:00:00.000Z", "/dev/xvda"),
    image(
      6,
      `ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-${debian}-server-20261105`,
      imageOwners.ubuntu,
      "2026-11-05T09:00:00.000Z",
      "/dev/sda1",
    ),
  ];
});

/** DescribeImages, over images that a test may add to. */
export function describeImages(images: readonly Image[], parameters: Parameters): readonly Shape[] {
  const ids = texts(parameters, "ImageId");
  const missing = ids.filter((id) => !images.some((image) => image.id === id && image.state === "available"));
  if (missing.length > 0)
    throw new Refusal("InvalidAMIID.NotFound", `The image id '[${missing.join(", ")}]' does not exist`);
  const owners = texts(parameters, "Owner");
  const filters = parts(parameters, "Filter").map((filter) => ({
    name: said(filter, "Name"),
    values: texts(filter, "Value").map(
      (value) =>
        new RegExp(
          `^${value
            .replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`)
            .replaceAll("*", ".*")
            .replaceAll("?", ".")}$`,
        ),
    ),
  }));
  const value = (image: Image, name: string): string => {
    switch (name) {
      case "name":
        return image.name;
      case "owner-id":
        return image.owner;
      case "architecture":
        return image.architecture;
      case "image-id":
        return image.id;
      case "state":
        return image.state;
      case "virtualization-type":
        return "hvm";
      case "root-device-type":
        return "ebs";
      case "is-public":
        return "true";
      default:
        throw new Refusal("InvalidParameterValue", `The filter '${name}' is invalid`);
    }
  };
  return images
    .filter(
      (image) =>
        image.state === "available" &&
        (ids.length === 0 || ids.includes(image.id)) &&
        (owners.length === 0 || owners.includes(image.owner)) &&
        filters.every((filter) => filter.values.some((pattern) => pattern.test(value(image, filter.name)))),
    )
    .map((image) => ({
      imageId: image.id,
      imageLocation: `${image.owner}/${image.name}`,
      imageState: image.state,
      imageOwnerId: image.owner,
      creationDate: image.created,
      isPublic: true,
      architecture: image.architecture,
      imageType: "machine",
      name: image.name,
      rootDeviceType: "ebs",
      rootDeviceName: image.rootDevice,
      virtualizationType: "hvm",
      hypervisor: "xen",
      deprecationTime: image.deprecated,
    }));
}
