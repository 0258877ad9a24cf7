/**
 * A flag that a worker can read in the middle of a pass, when no message reaches it: a number in shared memory where the page is
 * cross-origin isolated, else the address of a Blob, which can be read for as long as nobody revokes it.
 */
export type SentFlag = { readonly shared: Int32Array } | { readonly address: string };

/** The end that cancels. */
export type CancelFlag = {
  readonly sent: SentFlag;
  cancel(): void;
  /** Frees it without a word. */ free(): void;
};

export function cancelFlag(): CancelFlag {
  if (globalThis.crossOriginIsolated) {
    const shared = new Int32Array(new SharedArrayBuffer(4));
    return { sent: { shared }, cancel: () => void Atomics.store(shared, 0, 1), free: () => undefined };
  }
  const address = URL.createObjectURL(new Blob(["1"]));
  const revoke = () => URL.revokeObjectURL(address);
  return { sent: { address }, cancel: revoke, free: revoke };
}

/** Time between two looks at an address: each costs about a millisecond. Unit: milliseconds. */
const betweenLooks = 25;

/** The end in the worker: true once the flag was raised. */
export function flagReader(flag: SentFlag): () => boolean {
  if ("shared" in flag) return () => Atomics.load(flag.shared, 0) === 1;
  let [looked, raised] = [performance.now(), false];
  return () => {
    if (raised || performance.now() - looked < betweenLooks) return raised;
    raised = !isThere(flag.address);
    looked = performance.now();
    return raised;
  };
}

function isThere(address: string): boolean {
  const request = new XMLHttpRequest();
  request.open("GET", address, false);
  try {
    request.send();
    return true;
  } catch {
    return false;
  }
}
