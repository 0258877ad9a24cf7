import useBaseUrl from "@docusaurus/useBaseUrl";
import type { Message } from "@qkv/page";
import { useEffect, useState } from "react";
import type { Unfit } from "./live-device";

/** The output of an example as it is in its file, and devices that it cannot run on. */
export type Built = { output: Message[] | undefined; unfit: Unfit };

/**
 * Returns what the build computed of an example. Under `npm start`, which builds nothing, the server computes it when it is asked,
 * after the page's own first run.
 *
 * @param example - Its name.
 * @param given - From the build; without `output` under `npm start`.
 * @param hasRun - True after the page's first run.
 */
export function useBuilt(example: string, given: Built, hasRun: boolean): Built {
  const address = useBaseUrl(`live/examples/${example}.json`);
  const [answer, setAnswer] = useState<Built>();
  const asks = hasRun && given.output === undefined;
  useEffect(() => {
    if (!asks) return;
    const abort = new AbortController();
    fetch(address, { signal: abort.signal })
      .then(async (response) => {
        if (!response.ok) throw new Error(await response.text());
        setAnswer((await response.json()) as Built);
      })
      .catch((error: unknown) => {
        if (!abort.signal.aborted) console.error(`The output of ${example} could not be computed:`, error);
      });
    return () => abort.abort();
  }, [address, asks, example]);
  return answer ?? given;
}
