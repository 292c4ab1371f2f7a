"""Small widgets, themes, icons and formats that all pages share."""
