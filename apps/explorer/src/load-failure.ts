/**
 * The text of an error of loading, for a reader of the page: what they can do about a repository of the hub is different from what a
 * program can.
 *
 * @param name - The repository. Undefined: the model was no repository.
 */
export function loadFailure(error: Error, name: string | undefined): string {
  const cause = error.cause as (Error & { statusCode?: number }) | undefined;
  if (name === undefined || !/^[\w-][\w.-]*\/[\w-][\w.-]*$/.test(name) || cause === undefined)
    return error.message;
  if ([401, 403, 404].includes(cause.statusCode ?? 0))
    return (
      `The Hugging Face Hub has no public repository “${name}”.\n` +
      "Fix: check the name, which is written owner/name. This page reads public repositories only: of one that " +
      "asks for an agreement, download the files and open their folder here."
    );
  if (cause instanceof TypeError)
    return `The Hugging Face Hub did not answer.\nFix: check the network, then load “${name}” again.`;
  return error.message.replace(/Fix: .*accessToken.*$/s, "Fix: check the name, and try again later.");
}
