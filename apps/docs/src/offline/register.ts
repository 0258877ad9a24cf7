import siteConfig from "@generated/docusaurus.config";

// Registered when the page is idle, so that the first visit is not delayed.
if (typeof window !== "undefined" && process.env.NODE_ENV === "production" && "serviceWorker" in navigator) {
  if (document.readyState === "complete") void register();
  else addEventListener("load", () => void register());
}

async function register(): Promise<void> {
  const registration = await navigator.serviceWorker
    .register(`${siteConfig.baseUrl}sw.js`)
    .catch(() => undefined);
  if (!registration) return; // a private window, or disabled in the browser
  await navigator.serviceWorker.ready;
  const saving = (navigator as { connection?: { saveData?: boolean } }).connection?.saveData;
  if (!saving) setTimeout(() => registration.active?.postMessage("keep"), 3000);
}
