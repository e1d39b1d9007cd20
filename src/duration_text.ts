const MINUTE = 60;
const TEN_SECONDS = 9.95;

/** A duration, with as many digits as matter: `0.120 s`, `1.5 s`, `48 s`, `3:05`, `1:02:33`. */
export function durationText(milliseconds: number): string {
  const seconds = milliseconds / 1000;
  if (seconds < 0.9995) return `${seconds.toFixed(3)} s`;
  if (seconds < TEN_SECONDS) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < MINUTE) return `${whole} s`;
  const twoDigits = (value: number) => String(value).padStart(2, "0");
  const minutes = Math.floor(whole / MINUTE);
  const rest = twoDigits(whole % MINUTE);
  if (minutes < MINUTE) return `${minutes}:${rest}`;
  return `${Math.floor(minutes / MINUTE)}:${twoDigits(minutes % MINUTE)}:${rest}`;
}
