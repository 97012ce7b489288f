"""The command line: options in, stations called, exit statuses out. One module a command."""
