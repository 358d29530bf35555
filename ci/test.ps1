# ci/test.ps1 [msvc|mingw]: builds everything with that preset and runs all tests. The last line
# counts them. Needs CMake, Ninja, vcpkg (VCPKG_ROOT), and MSVC or MinGW-w64. The checks that need
# no Windows are those of ci/test.
# SPDX-License-Identifier: BSL-1.0
param([ValidateSet('msvc', 'mingw')][string]$Preset = 'msvc')
. (Join-Path $PSScriptRoot 'windows.ps1')

Set-Location (Split-Path $PSScriptRoot)
Enter-Preset $Preset
Invoke-Program cmake @('--preset', $Preset)
Invoke-Program cmake @('--build', '--preset', $Preset)

$report = Join-Path $PWD "build/$Preset/tests.xml"
ctest --preset $Preset --output-junit $report
$status = $LASTEXITCODE
$suite = ([xml](Get-Content $report)).testsuite
$skipped = [int]$suite.skipped + [int]$suite.disabled
$passed = [int]$suite.tests - [int]$suite.failures - $skipped
Write-Output "$passed passed, $($suite.failures) failed, $skipped skipped"
exit $status
