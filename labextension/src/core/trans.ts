import { createContext, useContext } from 'react';

/** What takes the place of %1, %2, … */
type Filling = string | number;

/** The part of JupyterLab's `TranslationBundle` that these components use. */
export interface Trans {
  __(msgid: string, ...args: Filling[]): string;
  _n(msgid: string, plural: string, n: number, ...args: Filling[]): string;
}

function fill(text: string, args: readonly Filling[]): string {
  return text.replace(/%(\d+)/g, (whole, position: string) => {
    const value = args[Number(position) - 1];
    return value === undefined ? whole : String(value);
  });
}

/** English, for hosts without translations. As in gettext, `%1` of a plural is its number. */
export const english: Trans = {
  __: (msgid, ...args) => fill(msgid, args),
  _n: (msgid, plural, n, ...args) => fill(n === 1 ? msgid : plural, [n, ...args])
};

const TransContext = createContext<Trans>(english);

export const TransProvider = TransContext.Provider;

export function useTrans(): Trans {
  return useContext(TransContext);
}
