import { Chat } from "./chat";

export default function Page() {
  return (
    <main>
      <h1>A chat that shows its attention</h1>
      <p>The model goes on with what you begin. Under each answer: which words it looked at.</p>
      <Chat />
    </main>
  );
}
