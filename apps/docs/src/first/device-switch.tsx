import type { ReactNode } from "react";
import { deviceWords, placeNames, type Place } from "./place";
import styles from "./first.module.css";

/** The device of the model: the fastest, or one that the reader chooses; and the reason. */
export function DeviceSwitch({
  on,
  choose,
  live,
}: {
  on: Place;
  choose: (place: Place) => void;
  live: { device: string; why: string } | undefined;
}): ReactNode {
  return (
    <div className={styles.device} data-device={live?.device}>
      <label>
        Device{" "}
        <select value={on} onChange={(event) => choose(event.target.value as Place)}>
          {Object.entries(placeNames).map(([place, name]) => (
            <option key={place} value={place}>
              {name}
            </option>
          ))}
        </select>
      </label>{" "}
      <span>{live ? `${deviceWords(live.device)}: ${live.why}.` : "\u00a0"}</span>
    </div>
  );
}
