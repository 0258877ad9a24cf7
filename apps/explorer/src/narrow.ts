import { useSyncExternalStore } from "react";

/** Screens that maps of the usual size do not fit. */
const narrow = "(max-width: 40rem)";

const follow = (listener: () => void) => {
  const media = matchMedia(narrow);
  media.addEventListener("change", listener);
  return () => media.removeEventListener("change", listener);
};

/** True on a phone. */
export const useIsNarrow = (): boolean =>
  useSyncExternalStore(
    follow,
    () => matchMedia(narrow).matches,
    () => false,
  );
