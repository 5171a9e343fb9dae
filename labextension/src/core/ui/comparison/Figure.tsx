import { useEffect, useRef, useState, type ReactElement } from 'react';
import { asProblem, type Problem } from '../../problem';
import { ErrorNotice } from '../Notice';

/** Draws a figure into an element; what it returns takes the figure away again. */
export type DrawFigure = (
  item: unknown,
  element: HTMLElement,
  signal: AbortSignal
) => Promise<() => void>;

interface FigureProps {
  item: unknown;
  draw: DrawFigure;
  /** What the figure shows, for those who do not see it. */
  label: string;
}

export function Figure({ item, draw, label }: FigureProps): ReactElement {
  const frame = useRef<HTMLDivElement>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  useEffect(() => {
    const element = frame.current;
    if (element === null) {
      return;
    }
    const controller = new AbortController();
    let remove: (() => void) | null = null;
    draw(item, element, controller.signal).then(
      undraw => {
        if (controller.signal.aborted) {
          undraw();
        } else {
          remove = undraw;
          setProblem(null);
          element.style.minHeight = '';
        }
      },
      (error: unknown) => {
        if (!controller.signal.aborted) {
          setProblem(asProblem(error));
        }
      }
    );
    return () => {
      controller.abort();
      // The page below does not jump while the next figure is drawn.
      element.style.minHeight = `${element.offsetHeight}px`;
      remove?.();
    };
  }, [item, draw]);
  return (
    <>
      <div ref={frame} className="jp-ape-Figure-frame" role="figure" aria-label={label} />
      {problem !== null && <ErrorNotice problem={problem} />}
    </>
  );
}
