@echo off
rem Put the submission together; see collect_submission.py.
cd /d "%~dp0"
python collect_submission.py
exit /b %errorlevel%
