@echo off
rem Run all public tests and the style check, as the Autograding Tests workflow does.
cd /d "%~dp0"
set result=0
python -m pytest %*
if errorlevel 1 set result=1
python -m pycodestyle --max-line-length 120 .
if errorlevel 1 set result=1
exit /b %result%
