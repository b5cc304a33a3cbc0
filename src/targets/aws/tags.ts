/** What of AWS's can bear tags, as its SDK gives it. */
type Tagged = {
  readonly Tags?: readonly { readonly Key?: string | undefined; readonly Value?: string | undefined }[] | undefined;
};

/** The value of one tag; undefined where there is no such tag, or nothing that could bear it. */
export function tagOf(tagged: Tagged | undefined, name: string): string | undefined {
  return tagged?.Tags?.find(({ Key }) => Key === name)?.Value;
}
