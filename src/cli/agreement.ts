import type { ClusterName } from "../cluster/cluster.ts";
import type { Session } from "./session.ts";

/** What is dear to undo is agreed to by the cluster's name. Where nobody can be asked it fails, and names `--yes`. */
export async function agreedByName(session: Session, cluster: ClusterName, question: string): Promise<boolean> {
  // This says what to do instead.
  if (!session.mayAsk) return session.confirm(question, false).then(() => false);
  const prompts = await session.world.prompts();
  const said = await prompts.text(`${question} Its name, to agree:`, "", (value) =>
    value === cluster || value === "" ? undefined : `it is called ${cluster}; nothing, to leave it`,
  );
  return said === cluster;
}
