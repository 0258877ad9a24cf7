import { mount } from "svelte";
import { defineElements } from "@qkv/viz/elements";
import App from "./App.svelte";

defineElements();
mount(App, { target: document.querySelector("#app")! });
