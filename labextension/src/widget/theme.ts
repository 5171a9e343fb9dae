import { useSyncExternalStore } from 'react';

export type Theme = 'light' | 'dark';

const ATTRIBUTES = ['data-jp-theme-light', 'data-vscode-theme-kind', 'data-theme', 'class'];
const DARK_SCHEME = '(prefers-color-scheme: dark)';

/** What the notebook around says of itself, else what the system prefers. */
export function currentTheme(): Theme {
  for (const element of [document.body, document.documentElement]) {
    const { jpThemeLight, vscodeThemeKind, theme } = element.dataset;
    if (jpThemeLight !== undefined) {
      return jpThemeLight === 'false' ? 'dark' : 'light';
    }
    if (vscodeThemeKind !== undefined) {
      return vscodeThemeKind.includes('light') ? 'light' : 'dark';
    }
    if (theme === 'dark' || theme === 'light') {
      return theme;
    }
  }
  return window.matchMedia(DARK_SCHEME).matches ? 'dark' : 'light';
}

/** Call `changed` when the theme may have changed, until the returned function is called. */
export function watchTheme(changed: () => void): () => void {
  const observer = new MutationObserver(changed);
  for (const element of [document.body, document.documentElement]) {
    observer.observe(element, { attributes: true, attributeFilter: ATTRIBUTES });
  }
  const scheme = window.matchMedia(DARK_SCHEME);
  scheme.addEventListener('change', changed);
  return () => {
    observer.disconnect();
    scheme.removeEventListener('change', changed);
  };
}

export function useTheme(): Theme {
  return useSyncExternalStore(watchTheme, currentTheme);
}
