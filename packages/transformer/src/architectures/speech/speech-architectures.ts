import { moonshine } from "./moonshine.js";
import type { SpeechArchitecture } from "./speech-architecture.js";
import { whisper } from "./whisper.js";

/** The speech models that are loaded: a new one is one file and a line here. */
export const speechArchitectures: readonly SpeechArchitecture[] = [moonshine, whisper];
