// Key cap. The shortcut on a button, for the eye: the button's accessible name has its word only.
export const KeyCap = ({ name }: { name: string }) => (
  <span className="key" aria-hidden="true">
    {name}
  </span>
);
