/**
 * The name under which a local image lies in the nodes' engines: it changes with the image's content, so that no node
 * runs an older one of the same tag, and no registry has it.
 */
export function loadedName(reference: string, id: string): string {
  const bare = reference.split("@")[0] ?? reference;
  // A colon behind the last slash begins the tag; one before it a registry's port.
  const tag = bare.indexOf(":", bare.lastIndexOf("/") + 1);
  return `${tag < 0 ? bare : bare.slice(0, tag)}:slipway-${id.replace(/^sha256:/, "").slice(0, 12)}`;
}
