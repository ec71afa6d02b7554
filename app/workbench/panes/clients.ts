// Clients door. Gives the rest of the workbench the menu beside Run.
export { ClientsMenu } from "./clients/ClientsMenu.tsx";
