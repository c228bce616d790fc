import { rmSync } from 'node:fs';

/** Stops the server of the run and removes its folder. */
export default async function globalTeardown(): Promise<void> {
  const { server, dataDir } = globalThis.cpgTestServer ?? {};
  await server?.stop();
  if (dataDir) rmSync(dataDir, { recursive: true, force: true });
}
