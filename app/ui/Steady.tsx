// Steady label. A word that changes into another one in a room that both fit, so that what is beside it does not move.

/** @param other a word, hidden, whose room is kept */
export const Steady = ({ word, other }: { word: string; other: string }) => (
  <span className="steady" data-other={other}>
    {word}
  </span>
);
