// SPDX-License-Identifier: Apache-2.0
import { defineConfig } from '@playwright/test';

// run.sh starts the server and says where it is.
export default defineConfig({
  testDir: './specs',
  outputDir: process.env.CONSOLE_TEST_OUTPUT ?? './test-results',
  // Generous: these limits end a test that hangs, on a machine that is busy, too.
  timeout: 300_000,
  expect: { timeout: 60_000 },
  // Every test has a tenant of its own.
  fullyParallel: true,
  workers: Number(process.env.CONSOLE_WORKERS ?? 2),
  forbidOnly: true,
  reporter: [['list']],
  use: {
    baseURL: process.env.GALLERY_URL,
    viewport: { width: 1360, height: 860 },
    locale: 'en-US',
    timezoneId: 'UTC',
    acceptDownloads: true,
    trace: 'off',
    launchOptions: {
      executablePath: process.env.CHROMIUM,
      args: [
        '--headless',
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    },
  },
});
