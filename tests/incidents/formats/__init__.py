"""Writers of log formats that the sample cases do not need."""
