import { useCallback, useRef } from 'react';

/** A ref for the end of a scrolled list: `reach` is called whenever it comes near to view. */
export function useNearEnd(reach: () => void): (element: Element | null) => void {
  const observer = useRef<IntersectionObserver | null>(null);
  return useCallback(
    (element: Element | null) => {
      observer.current?.disconnect();
      observer.current = null;
      if (element !== null && typeof IntersectionObserver !== 'undefined') {
        observer.current = new IntersectionObserver(
          entries => {
            if (entries.some(entry => entry.isIntersecting)) {
              reach();
            }
          },
          { rootMargin: '200px' }
        );
        observer.current.observe(element);
      }
    },
    [reach]
  );
}
