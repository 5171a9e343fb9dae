import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    environment: 'jsdom',
    include: ['test/**/*.test.{ts,tsx}'],
    restoreMocks: true,
    setupFiles: ['test/setup.ts'],
    // They import without file extensions, which only bundlers resolve.
    server: { deps: { inline: [/@jupyterlab/, /@lumino/] } }
  }
});
