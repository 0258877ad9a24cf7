import { useEffect, useState, type ReactNode } from "react";
import {
  chooseDevice,
  deviceLabels,
  fitting,
  useChosenDevice,
  whyNoAdapter,
  type Fit,
  type LiveDevice,
  type Unfit,
} from "./live-device";

/** The device of an example, as far as it is determined. */
export function useFit(code: string, unfit: Unfit): Fit {
  const chosen = useChosenDevice();
  const [noAdapter, setNoAdapter] = useState<string | undefined>("looking for an adapter");
  useEffect(() => {
    let gone = false;
    void whyNoAdapter().then((why) => gone || setNoAdapter(why));
    return () => void (gone = true);
  }, []);
  return fitting(code, chosen, unfit, noAdapter);
}

/** The device menu of an example: the available devices, and the reason why it cannot run on each of the others. */
export function DeviceSelect({
  fit: { device, why, named },
  chosen,
}: {
  fit: Fit;
  chosen: (device: LiveDevice) => void;
}): ReactNode {
  if (named)
    return (
      <select aria-label="Device" title="This code names its device." disabled data-live-device="named">
        <option>Device: in the code</option>
      </select>
    );
  return (
    <select
      aria-label="Device"
      title="Device that this code runs on"
      value={device}
      data-live-device={device}
      onChange={({ target }) => {
        const name = target.value as LiveDevice;
        chooseDevice(name);
        chosen(name);
      }}
    >
      {(Object.keys(deviceLabels) as LiveDevice[]).map((name) => (
        <option key={name} value={name} disabled={why[name] !== undefined}>
          {why[name] === undefined ? deviceLabels[name] : `${deviceLabels[name]}: ${why[name]}`}
        </option>
      ))}
    </select>
  );
}
