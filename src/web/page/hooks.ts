import { useEffect, useState } from "preact/hooks";

/** Whether a media query holds. */
export function useMedia(query: string): boolean {
  const [isSo, setSo] = useState(() => matchMedia(query).matches);
  useEffect(() => {
    const list = matchMedia(query);
    const change = () => setSo(list.matches);
    change();
    list.addEventListener("change", change);
    return () => list.removeEventListener("change", change);
  }, [query]);
  return isSo;
}

/** A value that this browser keeps, if it may. */
export function useStored<T>(name: string, otherwise: T): [T, (value: T) => void] {
  const [value, setValue] = useState<T>(() => {
    try {
      const text = localStorage.getItem(`flosensor-${name}`);
      return text === null ? otherwise : JSON.parse(text);
    } catch {
      return otherwise;
    }
  });
  return [value, (next) => {
    setValue(next);
    try {
      localStorage.setItem(`flosensor-${name}`, JSON.stringify(next));
    } catch {
      // It may not keep anything: then it is so until the page is left.
    }
  }];
}
