/** The longest delay that a Node timer keeps; a longer one fires at once. https://nodejs.org/api/timers.html */
export const MAX_TIMER_MS: number = 2 ** 31 - 1;
